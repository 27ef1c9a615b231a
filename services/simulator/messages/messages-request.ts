import type { Static } from 'typebox';
import { Type } from 'typebox';
import type { ChatRequest } from '../chat-request.ts';
import { JsonSchema } from '../chat-request.ts';
import { createRequestReader, orNull } from '../request-reader.ts';

const Block = Type.Object({ type: Type.String(), text: Type.Optional(Type.String()), content: Type.Optional(Type.Unknown()) });
const Content = Type.Union([Type.String(), Type.Array(Block)]);
const Tool = Type.Object({ type: orNull(Type.String()), name: Type.String({ minLength: 1 }), input_schema: Type.Optional(JsonSchema) });
const ToolChoice = Type.Object({
  type: Type.Union([Type.Literal('auto'), Type.Literal('any'), Type.Literal('tool'), Type.Literal('none')]),
  name: Type.Optional(Type.String()),
  disable_parallel_tool_use: Type.Optional(Type.Boolean()),
});

/** What the simulator reads of a request for a message. Other fields are allowed. */
const MessagesRequest = Type.Object({
  model: Type.String(),
  max_tokens: Type.Integer({ minimum: 1 }),
  messages: Type.Array(Type.Object({ role: Type.String(), content: Content }), { minItems: 1 }),
  system: Type.Optional(Content),
  stream: Type.Optional(Type.Boolean()),
  tools: Type.Optional(Type.Array(Tool)),
  tool_choice: Type.Optional(ToolChoice),
  output_config: Type.Optional(Type.Object({ format: orNull(Type.Object({ type: Type.String(), schema: JsonSchema })) })),
  metadata: orNull(Type.Record(Type.String(), Type.Unknown())),
});
export type MessagesRequest = Static<typeof MessagesRequest>;

export const parseMessagesRequest = createRequestReader(MessagesRequest);

type Message = ChatRequest['messages'][number];

/** The results of tools are what a chat has as messages of tools. */
function messageOf({ role, content }: MessagesRequest['messages'][number]): Message {
  if (typeof content === 'string') return { role, content };
  const isResult = content.some(({ type }) => type === 'tool_result');
  return { role: isResult ? 'tool' : role, content: content.map((block) => (block.text === undefined ? { type: block.type } : block)) };
}

const CHOICES = { auto: 'auto', any: 'required', none: 'none' } as const;

/** The same request as a chat: one composer answers both. */
export function asChatRequest(request: MessagesRequest): ChatRequest {
  const { system, tool_choice: choice } = request;
  const format = request.output_config?.format;
  return {
    model: request.model,
    messages: [...(system === undefined ? [] : [messageOf({ role: 'system', content: system })]), ...request.messages.map(messageOf)],
    max_completion_tokens: request.max_tokens,
    tools: (request.tools ?? []).map(({ name, input_schema }) => ({
      type: 'function',
      function: { name, parameters: input_schema ?? null },
    })),
    tool_choice:
      choice === undefined
        ? null
        : choice.type === 'tool'
          ? { type: 'function', function: { name: choice.name ?? '' } }
          : CHOICES[choice.type],
    parallel_tool_calls: choice?.disable_parallel_tool_use === true ? false : null,
    response_format: format == null ? null : { type: 'json_schema', json_schema: { name: 'answer', schema: format.schema } },
  };
}
