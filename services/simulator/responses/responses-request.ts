import type { Static } from 'typebox';
import { Type } from 'typebox';
import type { ChatRequest } from '../chat-request.ts';
import { JsonSchema } from '../chat-request.ts';
import { invalidRequest } from '../failures.ts';
import type { Read } from '../request-reader.ts';
import { createRequestReader, isRefused, orNull } from '../request-reader.ts';

const Part = Type.Object({ type: Type.String(), text: Type.Optional(Type.String()), refusal: Type.Optional(Type.String()) });
const Content = Type.Union([Type.String(), Type.Array(Part)]);

/** A message (whose `type` may be left out), a call, its result, reasoning, or what else a client hands back. */
const Item = Type.Object({
  type: orNull(Type.String()),
  role: Type.Optional(Type.String()),
  content: orNull(Content),
  output: orNull(Content),
  name: Type.Optional(Type.String()),
  arguments: Type.Optional(Type.String()),
});
const Tool = Type.Object({ type: Type.String(), name: Type.Optional(Type.String({ minLength: 1 })), parameters: orNull(JsonSchema) });
const ToolChoice = Type.Union([Type.String(), Type.Object({ type: Type.String(), name: Type.Optional(Type.String()) })]);
const Format = Type.Object({
  type: Type.Union([Type.Literal('text'), Type.Literal('json_object'), Type.Literal('json_schema')]),
  name: Type.Optional(Type.String()),
  schema: orNull(JsonSchema),
});

/** What the simulator reads of a Responses request. Other fields are allowed; those that an answer repeats are repeated. */
const ResponsesRequest = Type.Object({
  model: Type.String(),
  input: Type.Union([Type.String(), Type.Array(Item, { minItems: 1 })]),
  instructions: orNull(Type.String()),
  stream: orNull(Type.Boolean()),
  max_output_tokens: orNull(Type.Integer({ minimum: 1 })),
  tools: orNull(Type.Array(Tool)),
  tool_choice: orNull(ToolChoice),
  parallel_tool_calls: orNull(Type.Boolean()),
  text: orNull(Type.Object({ format: orNull(Format) })),
  reasoning: orNull(Type.Object({ effort: orNull(Type.String()), summary: orNull(Type.String()) })),
  include: orNull(Type.Array(Type.String())),
  service_tier: orNull(Type.String()),
  metadata: orNull(Type.Record(Type.String(), Type.Unknown())),
  background: orNull(Type.Boolean()),
  conversation: orNull(Type.Unknown()),
  previous_response_id: orNull(Type.String()),
  store: orNull(Type.Boolean()),
  temperature: orNull(Type.Number()),
  top_p: orNull(Type.Number()),
  max_tool_calls: orNull(Type.Integer()),
  truncation: orNull(Type.String()),
  user: orNull(Type.String()),
});
export type ResponsesRequest = Static<typeof ResponsesRequest>;

const read = createRequestReader(ResponsesRequest);

/** Reads a request body, or says what OpenAI would say about it. Nothing is kept here, so nothing kept can be referred to. */
export function parseResponsesRequest(body: Uint8Array): Read<ResponsesRequest> {
  const outcome = read(body);
  if (isRefused(outcome)) return outcome;
  const { previous_response_id: previous, background, conversation } = outcome.request;
  if (previous != null) {
    const message = `Previous response with id '${previous}' not found.`;
    return { failure: invalidRequest(message, 'previous_response_id', 'previous_response_not_found') };
  }
  if (background === true) {
    return {
      failure: invalidRequest("'background' is not supported: the simulator stores no responses.", 'background', 'unsupported_value'),
    };
  }
  if (conversation != null) {
    return { failure: invalidRequest("'conversation' is not supported: the simulator stores none.", 'conversation', 'unsupported_value') };
  }
  return outcome;
}

type Message = ChatRequest['messages'][number];

/** An item as the message it would be in a chat. Reasoning and other items that hold no text count as empty ones. */
function messageOf(item: Static<typeof Item>): Message {
  if (item.type === 'function_call_output') return { role: 'tool', content: item.output ?? '' };
  if (item.type === 'function_call') return { role: 'assistant', content: `${item.name ?? ''}${item.arguments ?? ''}` };
  return { role: item.role ?? 'assistant', content: item.content ?? '' };
}

/** The same request as a chat: one composer answers both. */
export function asChatRequest(request: ResponsesRequest): ChatRequest {
  const instructions = request.instructions == null ? [] : [{ role: 'system', content: request.instructions }];
  const items = typeof request.input === 'string' ? [{ role: 'user', content: request.input }] : request.input.map(messageOf);
  const { tool_choice: choice } = request;
  const format = request.text?.format;
  return {
    model: request.model,
    messages: [...instructions, ...items],
    max_completion_tokens: request.max_output_tokens ?? null,
    tools: (request.tools ?? []).map(({ type, name, parameters }) =>
      name === undefined ? { type } : { type, function: { name, parameters: parameters ?? null } },
    ),
    tool_choice:
      typeof choice === 'object' && choice !== null && choice.name !== undefined
        ? { type: choice.type, function: { name: choice.name } }
        : typeof choice === 'string'
          ? choice
          : null,
    parallel_tool_calls: request.parallel_tool_calls ?? null,
    response_format:
      format?.type === 'json_schema'
        ? { type: 'json_schema', json_schema: { name: format.name ?? 'schema', schema: format.schema ?? null } }
        : format == null
          ? null
          : { type: format.type },
    service_tier: request.service_tier ?? null,
  };
}
