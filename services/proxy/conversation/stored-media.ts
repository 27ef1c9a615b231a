import { GatewayError } from '../../../schema/errors.ts';
import type { Conversation, Turn } from './conversation.ts';

/** Stores that a provider reads with what it is called with, not with anything of the application's; Google's for files is one. */
const STORE = /^(?:(?:s3|gs):|(?:https:\/\/generativelanguage\.googleapis\.com\/.*)?\bfiles\/)/i;

/**
 * Refuses a conversation whose pictures or documents are in a store, where several organizations share the account that it would be read with: each could read what
 * is another's. @throws {GatewayError} `invalid_request`
 */
export function refuseStoredMedia({ turns }: Pick<Conversation, 'turns'>): void {
  for (const { parts } of turns) for (const part of parts) refuseStoredPart(part);
}

/** The same for the address of one. @throws {GatewayError} */
export function refuseStored(url: string): void {
  if (!STORE.test(url)) return;
  const message = `What is at '${url.slice(0, 5)}…' would be read with an account that several organizations share: send the content itself, or give the provider a credential of yours.`;
  throw new GatewayError('invalid_request', { message });
}

function refuseStoredPart(part: Turn['parts'][number]): void {
  if (part.kind === 'tool_result') for (const given of part.parts) refuseStoredPart(given);
  else if ((part.kind === 'image' || part.kind === 'document') && part.source.kind === 'url') refuseStored(part.source.url);
}
