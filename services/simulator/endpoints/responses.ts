import { composeAnswer } from '../answer.ts';
import type { Composition, CompositionContext } from '../billable-endpoint.ts';
import { createBillableEndpoint } from '../billable-endpoint.ts';
import type { Endpoint, SimulatorState } from '../endpoint.ts';
import { unknownResponsesModel } from '../failures.ts';
import type { Refused } from '../request-reader.ts';
import { isRefused } from '../request-reader.ts';
import { composeResponse, responseObject } from '../responses/response-object.ts';
import { responseStream } from '../responses/response-stream.ts';
import type { ResponsesRequest } from '../responses/responses-request.ts';
import { asChatRequest, parseResponsesRequest } from '../responses/responses-request.ts';
import { toldOfResponse } from '../responses/responses-usage.ts';
import { visibleTokensOf } from '../token-counts.ts';

function compose(request: ResponsesRequest, context: CompositionContext): Composition | Refused {
  // There is no audio in this protocol, so none is counted.
  const behavior = { ...context.behavior, audioInputTokens: 0, audioOutputTokens: 0 };
  const answer = composeAnswer(asChatRequest(request), behavior, context.random, context.createdSeconds, 'text.format');
  if (isRefused(answer)) return answer;
  const composed = composeResponse(answer, request, behavior);
  const { usage } = answer;
  const known = { id: composed.id, headers: ['x-request-id', `req_${answer.stem}`], usage, told: toldOfResponse(usage) };
  if (request.stream === true) return { ...known, kind: 'stream', stream: responseStream(composed) };
  // A stream can keep its end to itself (`finish=missing`); a body has come to its end when it is there.
  const status = composed.status === 'in_progress' ? 'completed' : composed.status;
  return { ...known, kind: 'body', body: JSON.stringify(responseObject(composed, status, null)), units: visibleTokensOf(usage) };
}

/** `POST /v1/responses`, whole and streamed, as OpenAI answers it. Nothing is stored: `previous_response_id` is refused. */
export function responsesEndpoint(state: SimulatorState): Endpoint {
  return createBillableEndpoint(state, {
    path: '/v1/responses',
    promptParameter: 'input',
    read: parseResponsesRequest,
    unknownModel: unknownResponsesModel,
    compose,
  });
}
