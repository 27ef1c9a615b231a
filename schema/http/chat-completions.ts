import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** Where the proxy serves it, by POST. */
export const CHAT_COMPLETIONS = '/v1/chat/completions';

const Nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));
const TokenLimit = Nullable(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }));

/**
 * Body of `POST /v1/chat/completions`, as far as the gateway relies on it: what routes, bounds and prices the request.
 * Everything else passes to the provider untouched, whatever it is, so that a field invented tomorrow works today.
 */
export const ChatCompletionRequest = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 256 }),
  messages: Type.Array(Type.Object({}), { minItems: 1 }),
  stream: Nullable(Type.Boolean()),
  stream_options: Nullable(Type.Object({ include_usage: Nullable(Type.Boolean()) })),
  n: Nullable(Type.Integer({ minimum: 1, maximum: 128 })),
  max_tokens: TokenLimit,
  max_completion_tokens: TokenLimit,
  service_tier: Nullable(Type.String({ maxLength: 64 })),
  user: Nullable(Type.String({ maxLength: 256 })),
});
export type ChatCompletionRequest = Static<typeof ChatCompletionRequest>;

/** Where a body is wrong and how, in the words of the OpenAI envelope: `param` is `messages[0]`, `stream_options.include_usage`, … */
export interface BodyFault {
  readonly param: string | null;
  readonly message: string;
}

const check = Compile(ChatCompletionRequest);

/** Whether a parsed body can be served. The value is not copied: unknown fields stay. */
export function isChatCompletionRequest(value: unknown): value is ChatCompletionRequest {
  return check.Check(value);
}

/** The first fault of a body that is no {@link ChatCompletionRequest}. */
export function chatCompletionFault(value: unknown): BodyFault {
  const [first] = check.Errors(value);
  if (first === undefined) return { param: null, message: 'The request body is not a chat completion request.' };
  const missing = 'requiredProperties' in first.params ? first.params.requiredProperties[0] : undefined;
  const param = paramOf(missing === undefined ? first.instancePath : `${first.instancePath}/${missing}`);
  if (param === null) return { param, message: 'The request body must be a JSON object.' };
  return missing === undefined
    ? { param, message: `Invalid '${param}': ${first.message}.` }
    : { param, message: `Missing required parameter: '${param}'.` };
}

/** `/messages/0/role` → `messages[0].role`. */
function paramOf(pointer: string): string | null {
  const parts = pointer.split('/').filter((part) => part !== '');
  if (parts.length === 0) return null;
  return parts.map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}
