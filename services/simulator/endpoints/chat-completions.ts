import { composeAnswer } from '../answer.ts';
import type { Composition, CompositionContext } from '../billable-endpoint.ts';
import { createBillableEndpoint } from '../billable-endpoint.ts';
import type { ChatRequest } from '../chat-request.ts';
import { parseChatRequest } from '../chat-request.ts';
import { completionId } from '../chat-shapes/chat-shape.ts';
import { chatShapes } from '../chat-shapes/chat-shapes.ts';
import { chatStream } from '../chat-stream.ts';
import type { Endpoint, SimulatorState } from '../endpoint.ts';
import { unknownModel } from '../failures.ts';
import type { Refused } from '../request-reader.ts';
import { isRefused } from '../request-reader.ts';
import { visibleTokensOf } from '../token-counts.ts';

function compose(request: ChatRequest, { behavior, random, createdSeconds }: CompositionContext): Composition | Refused {
  const answer = composeAnswer(request, behavior, random, createdSeconds);
  if (isRefused(answer)) return answer;
  const shape = chatShapes[behavior.usageShape];
  const { usage } = answer;
  const known = { id: completionId(answer), headers: ['x-request-id', `req_${answer.stem}`], usage, told: shape.told(usage) };
  if (request.stream === true) {
    return { ...known, kind: 'stream', stream: chatStream(answer, behavior, request.stream_options?.include_usage === true) };
  }
  return { ...known, kind: 'body', body: shape.body(answer, behavior.usage !== 'none'), units: visibleTokensOf(usage) };
}

/** `POST /v1/chat/completions`, whole and streamed, as OpenAI answers it, or in another provider's shape. */
export function chatCompletionsEndpoint(state: SimulatorState): Endpoint {
  return createBillableEndpoint(state, {
    path: '/v1/chat/completions',
    promptParameter: 'messages',
    read: parseChatRequest,
    unknownModel,
    compose,
  });
}
