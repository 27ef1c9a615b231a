import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Failure } from './failures.ts';
import { invalidRequest } from './failures.ts';

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]));

const Part = Type.Object({ type: Type.String(), text: Type.Optional(Type.String()) });
const Message = Type.Object({ role: Type.String(), content: orNull(Type.Union([Type.String(), Type.Array(Part)])) });

/** A JSON Schema as a client sends it. What it means is read in `minimal-instance.ts`. */
const JsonSchema = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Boolean()]);
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

const validator = Compile(ChatRequest);

/** `/messages/0/role` as OpenAI spells it: `messages[0].role`. */
function parameterName(instancePath: string, missing: string | undefined): string | null {
  const steps = instancePath.split('/').slice(1);
  if (missing !== undefined) steps.push(missing);
  const name = steps.map((step, index) => (/^\d+$/.test(step) ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
  return name === '' ? null : name;
}

/** Reads a request body, or says what OpenAI would say about it. */
export function parseChatRequest(body: Uint8Array): ChatRequest | { readonly failure: Failure } {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return {
      failure: invalidRequest(
        'We could not parse the JSON body of your request. (HINT: This likely means you are not using your HTTP library correctly.)',
        null,
      ),
    };
  }
  if (!validator.Check(value)) {
    const [problem] = validator.Errors(value);
    const missing = problem?.keyword === 'required' ? problem.params.requiredProperties[0] : undefined;
    const param = parameterName(problem?.instancePath ?? '', missing);
    return {
      failure: invalidRequest(
        missing === undefined ? `Invalid value for '${param ?? 'body'}': ${problem?.message}.` : `Missing required parameter: '${param}'.`,
        param,
        missing === undefined ? 'invalid_type' : 'missing_required_parameter',
      ),
    };
  }
  if (value.stream_options != null && value.stream !== true) {
    return { failure: invalidRequest("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options') };
  }
  return value;
}

/** The text of a message: its string, or its text parts joined. */
export function textOf(message: ChatRequest['messages'][number]): string {
  const content = message.content ?? '';
  return typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('');
}
