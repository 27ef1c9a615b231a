import { composeAnswer } from '../answer.ts';
import type { Composition, CompositionContext } from '../billable-endpoint.ts';
import { createBillableEndpoint } from '../billable-endpoint.ts';
import type { Endpoint, SimulatorState } from '../endpoint.ts';
import { unknownModel } from '../failures.ts';
import { asMessageFailure } from '../messages/message-failure.ts';
import { contentOf, endingOf, messageId, messageObject, messageUsage, toldOfMessage } from '../messages/message-object.ts';
import { messageStream } from '../messages/message-stream.ts';
import type { MessagesRequest } from '../messages/messages-request.ts';
import { asChatRequest, parseMessagesRequest } from '../messages/messages-request.ts';
import type { Refused } from '../request-reader.ts';
import { isRefused } from '../request-reader.ts';
import { visibleTokensOf } from '../token-counts.ts';

function compose(request: MessagesRequest, context: CompositionContext): Composition | Refused {
  // There is no audio in this protocol, so none is counted.
  const behavior = { ...context.behavior, audioInputTokens: 0, audioOutputTokens: 0 };
  const answer = composeAnswer(asChatRequest(request), behavior, context.random, context.createdSeconds);
  if (isRefused(answer)) return answer;
  const { usage, choices } = answer;
  const [choice = { kind: 'content', pieces: [], calls: [], finishReason: null }] = choices;
  const known = { id: messageId(answer), headers: ['request-id', `req_${answer.stem}`], usage, told: toldOfMessage(usage) };
  if (request.stream === true) return { ...known, kind: 'stream', stream: messageStream(answer, choice, behavior) };
  const message = messageObject(
    answer,
    contentOf(answer, choice),
    endingOf(choice),
    behavior.usage === 'none' ? null : messageUsage(usage),
  );
  return { ...known, kind: 'body', body: JSON.stringify(message), units: visibleTokensOf(usage) };
}

/** `POST /v1/messages`, whole and streamed, as Anthropic answers it. */
export function messagesEndpoint(state: SimulatorState): Endpoint {
  return createBillableEndpoint(state, {
    path: '/v1/messages',
    promptParameter: 'messages',
    read: parseMessagesRequest,
    unknownModel,
    compose,
    rewordFailure: asMessageFailure,
  });
}
