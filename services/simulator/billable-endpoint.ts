import type { Behavior } from './behavior.ts';
import { OptionError, refineBehavior } from './behavior.ts';
import { failureAskedByCredential, presentedSecret } from './credential.ts';
import type { DeliveryReport } from './delivery.ts';
import { Delivery } from './delivery.ts';
import type { Endpoint, Exchange, SimulatorState } from './endpoint.ts';
import { sendFailure } from './endpoint.ts';
import type { Failure, PromptParameter } from './failures.ts';
import { errorKinds, failureOfKind, invalidRequest } from './failures.ts';
import { behaviorOfModel } from './models.ts';
import type { Read, Refused } from './request-reader.ts';
import { isRefused } from './request-reader.ts';
import { fingerprint, SeededRandom } from './seeded-random.ts';
import type { Script, Stream } from './stream-script.ts';
import { bodyScript, streamScript } from './stream-script.ts';
import type { TokenCounts, ToldCounts } from './token-counts.ts';
import { generatedPart } from './token-counts.ts';

/** Longest `x-request-id` that is written down. */
const maximumRequestIdLength = 256;

/** What any billable request has, whatever the protocol. */
type BillableRequest = {
  readonly model: string;
  readonly stream?: boolean | null;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
};

/** What an answer is composed with beyond its request. */
export type CompositionContext = {
  readonly behavior: Behavior;
  readonly random: SeededRandom;
  readonly seed: number;
  readonly createdSeconds: number;
};

/** An answer that is ready to be sent, and what it costs. */
export type Composition = {
  /** The id in the answer, or null where it has none. */
  readonly id: string | null;
  readonly headers: readonly string[];
  readonly usage: TokenCounts;
  /** What the client is told of the usage, once it is told. */
  readonly told: ToldCounts;
} & (
  | { readonly kind: 'stream'; readonly stream: Stream }
  /** `units`: how many tokens (or whatever else is generated) the body stands for. */
  | { readonly kind: 'body'; readonly body: string; readonly units: number }
);

/** One protocol of OpenAI's, or Anthropic's: how its requests are read and its answers composed. The rest is the same for all. */
export type Protocol<Request extends BillableRequest> = {
  readonly path: string;
  /** What the protocol calls the prompt. */
  readonly promptParameter: PromptParameter;
  readonly read: (body: Uint8Array) => Read<Request>;
  readonly unknownModel: (model: string) => Failure;
  readonly compose: (request: Request, context: CompositionContext) => Composition | Refused;
  /** A refusal in the words of the protocol; absent: in OpenAI's. */
  readonly rewordFailure?: (failure: Failure) => Failure;
};

const acceptsGzip = (header: string | string[] | undefined): boolean =>
  typeof header === 'string' && /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(header);
const single = (header: string | string[] | undefined): string => (typeof header === 'string' ? header : '');

/** A behavior refined by the body's `metadata.simulator` and then by the header `x-simulator`. */
function refinedByRequest(behavior: Behavior, request: BillableRequest, header: string): Behavior | Refused {
  const inBody = request.metadata?.simulator;
  const text = typeof inBody === 'string' ? `${inBody};${header}` : header;
  if (text === '') return behavior;
  try {
    return refineBehavior(behavior, text);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    return { failure: invalidRequest(`Simulator: ${error.message}`, 'metadata.simulator', 'invalid_simulator_option') };
  }
}

/** Whether this request is one of the share that fails, and how: the behavior with that failure in it. */
function withLuck(behavior: Behavior, random: SeededRandom): Behavior {
  if (behavior.failShare === 0 || random.fraction() >= behavior.failShare) return behavior;
  const kind = behavior.failKinds[random.below(behavior.failKinds.length)] ?? '500';
  if (kind === 'disconnect') return { ...behavior, disconnect: 'before' };
  if (kind === 'disconnect-mid') return { ...behavior, disconnect: 2 };
  return { ...behavior, error: kind };
}

/** The error this request gets whatever it asks: by its credential, by its model or options, or because a body cannot break off politely. */
function forcedFailure(behavior: Behavior, secret: string, stream: boolean, promptParameter: PromptParameter): Failure | null {
  const asked = failureAskedByCredential(secret);
  if (asked !== null && errorKinds.includes(asked)) return failureOfKind(asked, behavior.retryAfterSeconds, promptParameter);
  if (behavior.error !== null) return failureOfKind(behavior.error, behavior.retryAfterSeconds, promptParameter);
  return !stream && behavior.errorAfter !== null ? failureOfKind('500', behavior.retryAfterSeconds) : null;
}

/** What is decided about a request before anything is sent. */
type Plan = { readonly behavior: Behavior; readonly random: SeededRandom; readonly composition: Composition };

/** The script of the answer and the headers that go before it. */
function scriptFor({ behavior, composition }: Plan, gzip: boolean): { readonly script: Script; readonly headers: readonly string[] } {
  const headers = [...composition.headers, 'openai-version', '2020-10-01', 'openai-organization', 'org-simulator'];
  if (gzip) headers.push('content-encoding', 'gzip', 'vary', 'accept-encoding');
  if (composition.kind === 'stream') {
    headers.push('content-type', 'text/event-stream; charset=utf-8', 'cache-control', 'no-cache');
    return { script: streamScript(composition.stream, behavior), headers };
  }
  const { body, units } = composition;
  const script = bodyScript(body, units, behavior);
  headers.push('content-type', 'application/json');
  // Where the body is to end early in good order, its length must not be told: the end would not be good.
  if (!gzip && (script.complete || script.ending !== 'end')) {
    const sent = script.complete ? script.frames.reduce((sum, frame) => sum + Buffer.byteLength(frame.text), 0) : Buffer.byteLength(body);
    headers.push('content-length', String(sent));
  }
  return { script, headers };
}

function bookedModel(parsed: Read<BillableRequest>): string {
  if (isRefused(parsed)) return '(unreadable)';
  return behaviorOfModel(parsed.request.model) === null ? '(unknown)' : parsed.request.model;
}

/** `POST` to a protocol's path: reads, decides by model, scenario and options, answers, and writes it all into the books. */
export function createBillableEndpoint<Request extends BillableRequest>(state: SimulatorState, protocol: Protocol<Request>): Endpoint {
  const { books, clock, scenario } = state;
  const { path, promptParameter } = protocol;

  const plan = ({ request, body }: Exchange, parsed: Request): Plan | Refused => {
    const ofModel = behaviorOfModel(parsed.model);
    if (ofModel === null) return { failure: protocol.unknownModel(parsed.model) };
    const stream = parsed.stream === true;
    const scripted = scenario === null ? ofModel : scenario.behaviorFor({ model: parsed.model, endpoint: path, stream }, ofModel);
    if (isRefused(scripted)) return scripted;
    const options = single(request.headers['x-simulator']);
    const given = refinedByRequest(scripted, parsed, options);
    if (isRefused(given)) return given;
    const print = fingerprint(options === '' ? body : Buffer.concat([body, Buffer.from(options)]));
    const random = new SeededRandom(state.seed, print, state.occurrences.count(print));
    const behavior = withLuck(given, random);
    const failure = forcedFailure(behavior, presentedSecret(request.headers), stream, promptParameter);
    if (failure !== null) return { failure };
    const createdSeconds = Math.floor(clock.now() / 1000);
    const composition = protocol.compose(parsed, { behavior, random, seed: state.seed, createdSeconds });
    return isRefused(composition) ? composition : { behavior, random, composition };
  };

  const handle = (exchange: Exchange): void => {
    const { request, response, body } = exchange;
    books.open();
    state.received.remember(request, body);
    const parsed = protocol.read(body);
    const known = {
      requestId: single(request.headers['x-request-id']).slice(0, maximumRequestIdLength) || null,
      credential: state.nameCredential(presentedSecret(request.headers)),
      model: bookedModel(parsed),
      endpoint: path,
      stream: !isRefused(parsed) && parsed.request.stream === true,
    };
    const planned = isRefused(parsed) ? parsed : plan(exchange, parsed.request);
    if (isRefused(planned)) {
      const { failure } = planned;
      books.record({ ...known, id: null, status: failure.status, outcome: 'refused', reported: null, billed: null });
      sendFailure(response, protocol.rewordFailure?.(failure) ?? failure);
      return;
    }
    const { behavior, random, composition } = planned;
    const { id, usage, told } = composition;
    const gzip = behavior.gzip && acceptsGzip(request.headers['accept-encoding']);
    const onSettled = ({ outcome, headersSent, visibleTokens, usageTold }: DeliveryReport): void =>
      books.record({
        ...known,
        id,
        status: headersSent ? 200 : null,
        outcome,
        reported: usageTold ? told : null,
        billed: outcome === 'finished' ? usage : generatedPart(usage, visibleTokens),
      });
    const wholeBody = composition.kind === 'body';
    new Delivery({ response, clock, random, behavior, ...scriptFor(planned, gzip), gzip, wholeBody, onSettled }).start();
  };

  return { path, handlers: { POST: handle } };
}
