import { GatewayError } from '../../../schema/errors.ts';
import type { ModerationRequest } from '../../../schema/http/moderations.ts';
import { DEFAULT_MODERATION_MODEL, MODERATIONS, moderationBody } from '../../../schema/http/moderations.ts';
import { openaiErrors } from '../answer/openai-errors.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';

/** `POST /v1/moderations`: free, and booked all the same. */
export const moderations: ProviderEndpoint<ModerationRequest> = {
  path: MODERATIONS,
  errors: openaiErrors,
  parse: (value) => {
    if (moderationBody.is(value)) return value;
    throw new GatewayError('invalid_request', moderationBody.fault(value));
  },
  model: ({ model }) => model ?? DEFAULT_MODERATION_MODEL,
  stream: () => false,
  usageAsked: () => false,
  choices: () => 1,
  endUser: () => null,
  outputLimit: () => 0,
  bound: () => ({ input: 0, output: 0 }),
  operation: (operations) => operations.moderations,
};
