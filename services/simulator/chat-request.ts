import type { Static } from 'typebox';
import { Type } from 'typebox';
import { invalidRequest } from './failures.ts';
import type { Read } from './request-reader.ts';
import { createRequestReader, isRefused, orNull } from './request-reader.ts';

const Part = Type.Object({ type: Type.String(), text: Type.Optional(Type.String()) });
const Message = Type.Object({ role: Type.String(), content: orNull(Type.Union([Type.String(), Type.Array(Part)])) });

/** A JSON Schema as a client sends it. What it means is read in `minimal-instance.ts`. */
export const JsonSchema = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Boolean()]);
const Tool = Type.Object({
  type: Type.String(),
  function: Type.Optional(Type.Object({ name: Type.String({ minLength: 1 }), parameters: orNull(JsonSchema) })),
});
const ToolChoice = Type.Union([
  Type.String(),
  Type.Object({ type: Type.String(), function: Type.Optional(Type.Object({ name: Type.String() })) }),
]);
const ResponseFormat = Type.Object({
  type: Type.Union([Type.Literal('text'), Type.Literal('json_object'), Type.Literal('json_schema')]),
  json_schema: Type.Optional(Type.Object({ name: Type.String(), schema: orNull(JsonSchema) })),
});

/** What the simulator reads of a chat completion request. Other fields are allowed and only remembered for `GET /requests/last`. */
const ChatRequest = Type.Object({
  model: Type.String(),
  messages: Type.Array(Message, { minItems: 1 }),
  stream: orNull(Type.Boolean()),
  stream_options: orNull(Type.Object({ include_usage: orNull(Type.Boolean()) })),
  n: orNull(Type.Integer({ minimum: 1, maximum: 128 })),
  max_tokens: orNull(Type.Integer({ minimum: 1 })),
  max_completion_tokens: orNull(Type.Integer({ minimum: 1 })),
  tools: orNull(Type.Array(Tool)),
  tool_choice: orNull(ToolChoice),
  parallel_tool_calls: orNull(Type.Boolean()),
  response_format: orNull(ResponseFormat),
  service_tier: orNull(Type.String()),
  metadata: orNull(Type.Record(Type.String(), Type.Unknown())),
});
export type ChatRequest = Static<typeof ChatRequest>;

const read = createRequestReader(ChatRequest);

/** Reads a request body, or says what OpenAI would say about it. */
export function parseChatRequest(body: Uint8Array): Read<ChatRequest> {
  const outcome = read(body);
  if (!isRefused(outcome) && outcome.request.stream_options != null && outcome.request.stream !== true) {
    return { failure: invalidRequest("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options') };
  }
  return outcome;
}

/** The text of a message: its string, or its text parts joined. */
export function textOf(message: ChatRequest['messages'][number]): string {
  const content = message.content ?? '';
  return typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('');
}
