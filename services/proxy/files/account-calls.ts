import { GatewayError } from '../../../schema/errors.ts';
import type { CatalogProvider } from '../../registry/catalog/catalog.ts';
import type { Fields } from '../body/json-fields.ts';
import { parseFields } from '../body/json-fields.ts';
import { readRefusal } from '../providers/openai/failure.ts';
import type { ProviderRefusal } from '../providers/provider.ts';
import { PROVIDERS } from '../providers/registry.ts';
import type { Credentials } from '../relay/credentials.ts';
import type { HttpMethod, UpstreamBody } from '../upstream/upstream.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { AnswerBody, StreamedAnswer } from './answer-stream.ts';
import { AnswerStream } from './answer-stream.ts';

/** One call to the account that an organization has at a provider. */
export interface AccountCall {
  readonly method: HttpMethod;
  /** Such as `/files/file-1`, with its query. */
  readonly path: string;
  /** Flat; besides the credential. */
  readonly headers: readonly string[];
  /** Absent: none. */
  readonly body?: UpstreamBody;
}

/** A whole answer that is JSON. */
export interface AccountAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly bytes: Buffer;
  /** What it says. */
  readonly value: Fields;
}

/** A provider's refusal, which goes to the application as it is. */
export class AccountRefusal extends Error {
  override readonly name = 'AccountRefusal';
  readonly refusal: ProviderRefusal;
  /** Of the provider. */
  readonly status: number;

  constructor(refusal: ProviderRefusal, status: number) {
    super(`the provider answered ${status}`);
    this.refusal = refusal;
    this.status = status;
  }
}

/** Calls for what is kept at providers. */
export interface AccountCalls {
  /** @throws {GatewayError} where no whole answer comes. @throws {AccountRefusal} */
  ask(account: CatalogProvider, call: AccountCall): Promise<AccountAnswer>;
  /** The same, and its body as it comes. */
  open(account: CatalogProvider, call: AccountCall): Promise<StreamedAnswer>;
}

/** Of an answer that describes a file or a batch, or refuses. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** @param onRejected told where a provider refused the gateway's own credential. */
export function createAccountCalls(
  upstreams: Upstreams,
  credentials: Credentials,
  onRejected: (provider: string, status: number) => void,
): AccountCalls {
  const send = (account: CatalogProvider, { method, path, headers, body = NOTHING }: AccountCall): Promise<StreamedAnswer> => {
    const { provider } = account;
    const { accountPath } = PROVIDERS[provider.protocol];
    if (accountPath === undefined) throw notServed(provider.name);
    const upstream = upstreams.find(provider.id);
    if (upstream === null) throw new GatewayError('upstream_unavailable');
    const all = [...withoutType(credentials.headersFor(account)), ...headers];
    if (!upstream.take()) {
      throw new GatewayError('upstream_unavailable', { message: 'All connections to the provider are in use.', retryAfterSeconds: 1 });
    }
    return new Promise((resolve, reject) => {
      const answer = new AnswerStream(resolve, reject);
      answer.answers(upstream.send(method, accountPath(path, provider), all, body, answer));
    });
  };

  const open: AccountCalls['open'] = async (account, call) => {
    const answer = await send(account, call);
    if ((answer.headers['content-encoding'] ?? 'identity') !== 'identity') {
      answer.body.destroy();
      throw new GatewayError('upstream_error', { message: 'The provider compressed an answer although it was asked not to.' });
    }
    if (answer.status < 300) return answer;
    const refusal = readRefusal(answer.status, answer.headers, await whole(answer.body), () => null);
    if (refusal.credentialRejected) onRejected(account.provider.name, answer.status);
    throw new AccountRefusal(refusal, answer.status);
  };

  return {
    open,
    ask: async (account, call) => {
      const { status, headers, body } = await open(account, call);
      const bytes = await whole(body);
      const value = parseFields(bytes);
      if (value === null) throw new GatewayError('upstream_error', { message: 'The answer of the provider is not one of its protocol.' });
      return { status, contentType: headers['content-type'] ?? 'application/json', bytes, value };
    },
  };
}

/** The refusal of what no provider of this kind keeps. */
function notServed(provider: string): GatewayError {
  const message = `The provider '${provider}' keeps no files and batches of OpenAI's kind.`;
  return new GatewayError('endpoint_not_supported', { message });
}

async function whole(body: AnswerBody): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES)
      throw new GatewayError('upstream_error', { message: 'The answer of the provider is larger than the gateway accepts.' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Only the call itself knows what it sends. */
function withoutType(headers: readonly string[]): string[] {
  return headers.filter((_text, index) => headers[index - (index % 2)] !== 'content-type');
}
