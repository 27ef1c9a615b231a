import type { Static } from 'typebox';
import { Type } from 'typebox';
import type { Answer } from '../answer.ts';
import { composeAnswer } from '../answer.ts';
import type { Behavior } from '../behavior.ts';
import type { Composition, CompositionContext } from '../billable-endpoint.ts';
import { createBillableEndpoint } from '../billable-endpoint.ts';
import type { Endpoint, SimulatorState } from '../endpoint.ts';
import { unknownModel } from '../failures.ts';
import type { Refused } from '../request-reader.ts';
import { createRequestReader, isRefused, orNull } from '../request-reader.ts';
import type { Frame, Stream } from '../stream-script.ts';
import { promptTokensOf, toldCounts, usageJson, visibleTokensOf } from '../token-counts.ts';

/** What the simulator reads of a legacy completion: one prompt, as a text. */
const CompletionRequest = Type.Object({
  model: Type.String(),
  prompt: Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 1 })]),
  stream: orNull(Type.Boolean()),
  stream_options: orNull(Type.Object({ include_usage: orNull(Type.Boolean()) })),
  n: orNull(Type.Integer({ minimum: 1, maximum: 128 })),
  max_tokens: orNull(Type.Integer({ minimum: 1 })),
  metadata: orNull(Type.Record(Type.String(), Type.Unknown())),
});
type CompletionRequest = Static<typeof CompletionRequest>;

const choiceOf = (index: number, text: string, finishReason: string | null): object => ({
  text,
  index,
  logprobs: null,
  finish_reason: finishReason,
});

/** Every object of one answer, whole or a chunk, begins with it. */
const head = (id: string, { created, model }: Answer): object => ({ id, object: 'text_completion', created, model });

function bodyOf(id: string, answer: Answer, tellsUsage: boolean): string {
  const choices = answer.choices.map(({ pieces, finishReason }, index) => choiceOf(index, pieces.join(''), finishReason));
  const whole = JSON.stringify({ ...head(id, answer), choices });
  return tellsUsage ? `${whole.slice(0, -1)},"usage":${usageJson(answer.usage)}}` : whole;
}

function streamOf(id: string, answer: Answer, { newline, usage: told }: Behavior, isAsked: boolean): Stream {
  const event = (json: string): string => `data: ${json}${newline}${newline}`;
  const chunk = (choices: readonly object[]): string => JSON.stringify({ ...head(id, answer), choices });
  const frames: Frame[] = [];
  answer.choices.forEach(({ pieces, finishReason }, index) => {
    for (const piece of pieces) frames.push({ text: event(chunk([choiceOf(index, piece, null)])), tokens: 1, tellsUsage: false });
    frames.push({ text: event(chunk([choiceOf(index, '', finishReason)])), tokens: 0, tellsUsage: false });
  });
  if (told !== 'none' && (isAsked || told === 'unasked')) {
    const usage = `${chunk([]).slice(0, -1)},"usage":${usageJson(answer.usage)}}`;
    frames.push({ text: event(usage), tokens: 0, tellsUsage: true });
  }
  frames.push({ text: event('[DONE]'), tokens: 0, tellsUsage: false });
  const failure = JSON.stringify({ error: { message: 'The server had an error', type: 'server_error', param: null, code: null } });
  return { frames, failureAfter: () => [event(failure)] };
}

function compose(request: CompletionRequest, { behavior, random, createdSeconds }: CompositionContext): Composition | Refused {
  const prompt = typeof request.prompt === 'string' ? request.prompt : request.prompt.join('');
  const { model, n, max_tokens } = request;
  const asked = { model, messages: [{ role: 'user', content: prompt }], ...(n ? { n } : {}), ...(max_tokens ? { max_tokens } : {}) };
  // Nothing is put around a prompt of this kind.
  const bare = { ...behavior, promptTokens: behavior.promptTokens ?? promptTokensOf(prompt) };
  const answer = composeAnswer(asked, bare, random, createdSeconds);
  if (isRefused(answer)) return answer;
  const { usage } = answer;
  const id = `cmpl-${answer.stem}`;
  const told = toldCounts(usage, [
    'promptTokens',
    'cachedTokens',
    'completionTokens',
    'reasoningTokens',
    'audioInputTokens',
    'audioOutputTokens',
  ]);
  const known = { id, headers: ['x-request-id', `req_${answer.stem}`], usage, told };
  if (request.stream === true) {
    return { ...known, kind: 'stream', stream: streamOf(id, answer, behavior, request.stream_options?.include_usage === true) };
  }
  return { ...known, kind: 'body', body: bodyOf(id, answer, behavior.usage !== 'none'), units: visibleTokensOf(usage) };
}

/** `POST /v1/completions`, the legacy ones, whole and streamed, as OpenAI answers them. */
export function completionsEndpoint(state: SimulatorState): Endpoint {
  return createBillableEndpoint(state, {
    path: '/v1/completions',
    promptParameter: 'prompt',
    read: createRequestReader(CompletionRequest),
    unknownModel,
    compose,
  });
}
