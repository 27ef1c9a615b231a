import { GatewayError } from '../../../schema/errors.ts';
import type { ResponsesRequest } from '../../../schema/http/responses.ts';
import { RESPONSES, responsesBody } from '../../../schema/http/responses.ts';
import { responsesErrors } from '../answer/responses-errors.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';
import { responsesBound, responsesOutputLimit } from './responses-bound.ts';

/** `POST /v1/responses`. */
export const responses: ProviderEndpoint<ResponsesRequest> = {
  path: RESPONSES,
  errors: responsesErrors,
  body: 'media',
  parse: (value) => {
    if (!responsesBody.is(value)) throw new GatewayError('invalid_request', responsesBody.fault(value));
    if (value.background === true) throw inBackground();
    return value;
  },
  model: ({ model }) => model,
  stream: ({ stream }) => stream === true,
  // Its last event has it, asked or not.
  usageAsked: () => true,
  choices: () => 1,
  endUser: ({ user }) => user ?? null,
  outputLimit: responsesOutputLimit,
  bound: responsesBound,
  operation: (operations) => operations.responses,
};

/** What goes on after the answer is billed when nobody reads its usage any more. */
function inBackground(): GatewayError {
  return new GatewayError('invalid_request', {
    param: 'background',
    message:
      "'background' is not possible: what a response uses is known when it is complete, and one in the background is completed after its request is settled. Leave it out, and set 'stream' for answers that take long.",
  });
}
