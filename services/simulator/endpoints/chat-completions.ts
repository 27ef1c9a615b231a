import type { Answer } from '../answer.ts';
import { composeAnswer } from '../answer.ts';
import type { Behavior } from '../behavior.ts';
import { OptionError, refineBehavior } from '../behavior.ts';
import type { ChatRequest } from '../chat-request.ts';
import { parseChatRequest } from '../chat-request.ts';
import { completionBody } from '../completion-body.ts';
import { failureAskedByCredential, presentedSecret } from '../credential.ts';
import type { DeliveryReport } from '../delivery.ts';
import { Delivery } from '../delivery.ts';
import type { Endpoint, Exchange, SimulatorState } from '../endpoint.ts';
import { sendFailure } from '../endpoint.ts';
import type { Failure } from '../failures.ts';
import { errorKinds, failureOfKind, invalidRequest, unknownModel } from '../failures.ts';
import { behaviorOfModel } from '../models.ts';
import { fingerprint, SeededRandom } from '../seeded-random.ts';
import type { Script } from '../stream-script.ts';
import { bodyScript, streamFrames, streamScript } from '../stream-script.ts';
import { generatedPart, visibleTokensOf } from '../token-counts.ts';

const path = '/v1/chat/completions';
/** Longest `x-request-id` that is written down. */
const maximumRequestIdLength = 256;

const acceptsGzip = (header: string | string[] | undefined): boolean =>
  typeof header === 'string' && /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(header);
const single = (header: string | string[] | undefined): string => (typeof header === 'string' ? header : '');

/** What the model does, refined by the body's `metadata.simulator` and then by the header `x-simulator`. */
function behaviorFor(request: ChatRequest, header: string): Behavior | { readonly failure: Failure } {
  const behavior = behaviorOfModel(request.model);
  if (behavior === null) return { failure: unknownModel(request.model) };
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
function forcedFailure(behavior: Behavior, secret: string, stream: boolean): Failure | null {
  const asked = failureAskedByCredential(secret);
  if (asked !== null && errorKinds.includes(asked)) return failureOfKind(asked, behavior.retryAfterSeconds);
  if (behavior.error !== null) return failureOfKind(behavior.error, behavior.retryAfterSeconds);
  return !stream && behavior.errorAfter !== null ? failureOfKind('500', behavior.retryAfterSeconds) : null;
}

/** What is decided about a request before anything is sent. */
type Plan = { readonly parsed: ChatRequest; readonly behavior: Behavior; readonly random: SeededRandom; readonly answer: Answer };

function plan(state: SimulatorState, { request, body }: Exchange, parsed: ChatRequest): Plan | { readonly failure: Failure } {
  const options = single(request.headers['x-simulator']);
  const given = behaviorFor(parsed, options);
  if ('failure' in given) return given;
  const print = fingerprint(options === '' ? body : Buffer.concat([body, Buffer.from(options)]));
  const random = new SeededRandom(state.seed, print, state.occurrences.count(print));
  const behavior = withLuck(given, random);
  const failure = forcedFailure(behavior, presentedSecret(request.headers), parsed.stream === true);
  if (failure !== null) return { failure };
  const answer = composeAnswer(parsed, behavior, random, Math.floor(state.clock.now() / 1000));
  return 'failure' in answer ? answer : { parsed, behavior, random, answer };
}

/** The script of the answer and the headers that go before it. */
function scriptFor({ parsed, behavior, answer }: Plan, gzip: boolean): { readonly script: Script; readonly headers: readonly string[] } {
  const headers = [
    'x-request-id',
    `req_${answer.id.slice('chatcmpl-'.length)}`,
    'openai-version',
    '2020-10-01',
    'openai-organization',
    'org-simulator',
  ];
  if (gzip) headers.push('content-encoding', 'gzip', 'vary', 'accept-encoding');
  if (parsed.stream === true) {
    headers.push('content-type', 'text/event-stream; charset=utf-8', 'cache-control', 'no-cache');
    const frames = streamFrames(answer, behavior, parsed.stream_options?.include_usage === true);
    return { script: streamScript(frames, behavior), headers };
  }
  const body = completionBody(answer, behavior);
  const script = bodyScript(body, visibleTokensOf(answer.usage), behavior);
  headers.push('content-type', 'application/json');
  // Where the body is to end early in good order, its length must not be told: the end would not be good.
  if (!gzip && (script.complete || script.ending !== 'end')) {
    const sent = script.complete ? script.frames.reduce((sum, frame) => sum + Buffer.byteLength(frame.text), 0) : Buffer.byteLength(body);
    headers.push('content-length', String(sent));
  }
  return { script, headers };
}

function bookedModel(parsed: ChatRequest | { readonly failure: Failure }): string {
  if ('failure' in parsed) return '(unreadable)';
  return behaviorOfModel(parsed.model) === null ? '(unknown)' : parsed.model;
}

/** `POST /v1/chat/completions`, whole and streamed, as OpenAI answers it. */
export function chatCompletionsEndpoint(state: SimulatorState): Endpoint {
  const { books, clock } = state;

  const handle = (exchange: Exchange): void => {
    const { request, response, body } = exchange;
    books.open();
    state.received.remember(request, body);
    const parsed = parseChatRequest(body);
    const known = {
      requestId: single(request.headers['x-request-id']).slice(0, maximumRequestIdLength) || null,
      credential: state.nameCredential(presentedSecret(request.headers)),
      model: bookedModel(parsed),
      endpoint: path,
      stream: !('failure' in parsed) && parsed.stream === true,
    };
    const planned = 'failure' in parsed ? parsed : plan(state, exchange, parsed);
    if ('failure' in planned) {
      const { failure } = planned;
      books.record({ ...known, id: null, status: failure.status, outcome: 'refused', reported: null, billed: null });
      sendFailure(response, failure);
      return;
    }
    const { answer, behavior, random } = planned;
    const gzip = behavior.gzip && acceptsGzip(request.headers['accept-encoding']);
    const onSettled = ({ outcome, headersSent, visibleTokens, usageTold }: DeliveryReport): void =>
      books.record({
        ...known,
        id: answer.id,
        status: headersSent ? 200 : null,
        outcome,
        reported: usageTold ? answer.usage : null,
        billed: outcome === 'finished' ? answer.usage : generatedPart(answer.usage, visibleTokens),
      });
    new Delivery({
      response,
      clock,
      random,
      behavior,
      ...scriptFor(planned, gzip),
      gzip,
      wholeBody: !known.stream,
      onSettled,
    }).start();
  };

  return { path, handlers: { POST: handle } };
}
