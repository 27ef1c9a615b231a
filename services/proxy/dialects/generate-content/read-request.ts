import { GatewayError } from '../../../../schema/errors.ts';
import type { GenerateContentBody, GenerateContentRequest } from '../../../../schema/http/generate-content.ts';
import { parseExactJson } from '../../body/exact-json.ts';
import { isFields } from '../../body/json-fields.ts';
import type { Conversation } from '../../conversation/conversation.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import { RequestFields } from '../request-fields.ts';
import { camelCased } from './either-spelling.ts';
import { readContents, readInstructions } from './read-contents.ts';
import { readGenerationConfig } from './read-generation-config.ts';
import { readTools } from './read-tools.ts';

/** Google's words for how it is served, and OpenAI's. */
const TIERS: ReadonlyMap<string, string> = new Map([['standard', 'default']]);
/** What refers to something that Google keeps, and what an application does instead. */
const KEPT: readonly (readonly [name: string, instead: string])[] = [
  ['cachedContent', 'Nothing of it is known here: send it in `contents` and `systemInstruction`.'],
  ['continuationToken', 'Send the whole conversation in `contents`.'],
];
/** What functions are called with, and give, are objects in this dialect, whose numbers pass through. */
const OBJECTS = ['"args"', '"response"'].map((name) => Buffer.from(name));

/** Reads a request for content for a provider that does not speak Google's dialect. What only Google has is named as not carried. @throws {GatewayError} */
export function readRequest({ isEventStream, body: asked }: GenerateContentRequest, notCarried: NotCarried, bytes: Buffer): Conversation {
  const exact = OBJECTS.some((name) => bytes.includes(name)) ? withDigits(asked, bytes) : asked;
  const body = new RequestFields(exact, '', notCarried, camelCased);
  for (const [name, instead] of KEPT) if (body.value(name) !== null) throw unkept(name, instead);
  const tier = body.text('serviceTier')?.toLowerCase() ?? 'unspecified';
  const conversation: Conversation = {
    turns: [...readInstructions(body), ...readContents(body)],
    ...readTools(body),
    parallelToolCalls: null,
    ...readGenerationConfig(body),
    serviceTier: tier === 'unspecified' ? null : (TIERS.get(tier) ?? tier),
    endUser: null,
    stream: isEventStream,
  };
  // It stands in the address.
  body.passOver('model');
  if (body.flag('store') === true) body.drop('store');
  body.tellRest();
  return conversation;
}

/** The request with the contents as they were written: nothing in them is read as a number. */
function withDigits(asked: GenerateContentBody, bytes: Buffer): unknown {
  const exact = parseExactJson(bytes.toString('utf8'));
  return isFields(exact) ? { ...asked, contents: exact.contents } : asked;
}

function unkept(param: string, instead: string): GatewayError {
  return new GatewayError('invalid_request', {
    param,
    message: `'${param}' cannot be used with this model, whose provider does not speak Google's dialect. ${instead}`,
  });
}
