import type { IncomingHttpHeaders } from 'node:http';
import type { CountTokensRequest } from '../../../../schema/http/messages.ts';
import { isFields } from '../../body/json-fields.ts';
import { jsonMembers } from '../../body/json-members.ts';
import type { SentBody } from '../../body/sent-body.ts';
import { assembled } from '../../body/sent-body.ts';
import type { Asked } from '../provider.ts';

/** Who serves Claude besides Anthropic, in Anthropic's dialect: what of a message is said differently there. */
export interface ClaudeHost {
  /** The version of the dialect, which stands in the body. */
  readonly version: string;
  /**
   * What a feature that is asked for by name (`anthropic-beta`) is called there; null: it is not known. A whole request is refused for such a name, and
   * clients ask for what only Anthropic has.
   */
  betaOf(name: string, model: string): string | null;
}

/** Members of a body, JSON by their names. */
type Members = Readonly<Record<string, string>>;

/** A message as such a host takes it. */
export interface HostedMessage {
  /** The members that it has besides the application's own, or in their place. */
  readonly members: Members;
  readonly betas: readonly string[];
  readonly notCarried: readonly string[];
}

/** These say nothing where there is no capacity to choose from. */
const USUAL_TIERS: readonly unknown[] = [undefined, null, 'auto', 'standard_only'];
/** Members that no such host takes as they are: its paths say them, they are written anew, or it has nothing of the kind. */
const SAID_ELSEWHERE: readonly string[] = ['model', 'anthropic_beta', 'service_tier'];
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from('}');

/** What a host is told of a message besides the application's own body, and what it cannot be told. */
export function hostedMessage(
  { request, outputTokens }: Pick<Asked<CountTokensRequest>, 'request' | 'outputTokens'>,
  headers: IncomingHttpHeaders,
  model: string,
  host: ClaudeHost,
): HostedMessage {
  const fields: unknown = request;
  const { service_tier, anthropic_beta } = isFields(fields) ? fields : {};
  const notCarried = USUAL_TIERS.includes(service_tier) ? [] : ['service_tier'];
  const betas = new Set<string>();
  for (const name of askedBetas(anthropic_beta, headers)) {
    const known = host.betaOf(name, model);
    if (known === null) notCarried.push(`anthropic-beta.${name}`);
    else betas.add(known);
  }
  const limit = outputTokens === null ? {} : { max_tokens: String(outputTokens) };
  return { members: { anthropic_version: JSON.stringify(host.version), ...limit }, betas: [...betas], notCarried };
}

/** The application's own body as such a host takes it, with these members in front: every other value is in it to the byte. @param without what else is left out. */
export function hostedBody(bytes: Buffer, members: Members, without: readonly string[]): SentBody {
  const left = new Set([...SAID_ELSEWHERE, ...Object.keys(members), ...without]);
  const written = Object.entries(members).map(([name, json]) => `"${name}":${json}`);
  const pieces: Buffer[] = [Buffer.from(`{${written.join(',')}`, 'utf8')];
  for (const { key, keyStart, end } of jsonMembers(bytes) ?? []) if (!left.has(key)) pieces.push(COMMA, bytes.subarray(keyStart, end));
  pieces.push(CLOSE);
  return assembled(pieces);
}

/** By a header, as Anthropic is asked; or in the body, as elsewhere. */
function askedBetas(inBody: unknown, headers: IncomingHttpHeaders): readonly string[] {
  const named = Array.isArray(inBody) ? inBody.filter((name) => typeof name === 'string') : [];
  const asked = headers['anthropic-beta'];
  const listed = typeof asked === 'string' ? asked.split(',') : [];
  return [...named, ...listed].map((name) => name.trim()).filter((name) => name !== '');
}
