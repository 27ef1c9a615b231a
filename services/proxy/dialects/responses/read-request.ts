import { GatewayError } from '../../../../schema/errors.ts';
import type { ResponsesRequest } from '../../../../schema/http/responses.ts';
import type { Conversation, OutputFormat, ReasoningWish, Turn } from '../../conversation/conversation.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import { RequestFields } from '../request-fields.ts';
import { readInput } from './read-input.ts';
import { readTools } from './read-tools.ts';

/** What refers to something that a provider which speaks this API keeps, and what an application does instead. */
const KEPT: readonly (readonly [name: string, instead: string])[] = [
  [
    'previous_response_id',
    'Nothing is kept of earlier responses: send the whole conversation in `input`, with the output of each response in its place.',
  ],
  ['conversation', 'No conversations are kept: send the whole of it in `input`.'],
  ['prompt', 'No prompts are kept: send its text in `instructions` and `input`.'],
];

/** Members that mean nothing for whom they do not reach: the response repeats them, or they are about what this API keeps. */
const WITHOUT_EFFECT = ['model', 'metadata', 'stream_options', 'background', 'top_logprobs'] as const;
const LOGPROBS = 'message.output_text.logprobs';
/** What may be asked to be in a response and is there. */
const INCLUDED: ReadonlySet<unknown> = new Set([LOGPROBS, 'reasoning.encrypted_content']);
const DEFAULT_VERBOSITY = 'medium';

/** Reads a request of OpenAI's Responses API for a provider that does not speak it. @throws {GatewayError} `invalid_request` */
export function readResponsesRequest(request: ResponsesRequest, notCarried: NotCarried): Conversation {
  const body = new RequestFields(request, '', notCarried);
  for (const [name, instead] of KEPT) if (body.value(name) !== null) throw unkept(name, instead);
  body.passOver(...WITHOUT_EFFECT);
  if (body.flag('store') === true) body.drop('store');
  if (body.text('truncation') === 'auto') body.drop('truncation');
  const instructions = body.text('instructions');
  const user = body.text('user');
  const { tools, toolChoice } = readTools(body);
  const conversation: Conversation = {
    turns: [...(instructions === null ? [] : [instructionsTurn(instructions)]), ...readInput(body)],
    tools,
    toolChoice,
    parallelToolCalls: body.flag('parallel_tool_calls'),
    maxOutputTokens: body.number('max_output_tokens'),
    temperature: body.number('temperature'),
    topP: body.number('top_p'),
    topK: null,
    frequencyPenalty: null,
    presencePenalty: null,
    seed: null,
    stopSequences: [],
    choices: 1,
    logprobs: readLogprobs(body),
    reasoning: readReasoning(body),
    outputFormat: readFormat(body),
    serviceTier: body.text('service_tier'),
    endUser: user ?? body.text('safety_identifier'),
    stream: body.flag('stream') === true,
  };
  body.tellRest();
  return conversation;
}

function unkept(param: string, instead: string): GatewayError {
  return new GatewayError('invalid_request', {
    param,
    message: `'${param}' cannot be used with this model, whose provider does not speak the Responses API. ${instead}`,
  });
}

function instructionsTurn(text: string): Turn {
  return { role: 'instructions', parts: [{ kind: 'text', text, cache: null }] };
}

function readLogprobs(body: RequestFields): number | null {
  const included = body.list('include') ?? [];
  if (included.some((each) => !INCLUDED.has(each))) body.drop('include');
  return included.includes(LOGPROBS) ? (body.number('top_logprobs') ?? 0) : null;
}

function readReasoning(body: RequestFields): ReasoningWish | null {
  const reasoning = body.object('reasoning');
  if (reasoning === null) return null;
  const formerSummary = reasoning.text('generate_summary');
  const summary = reasoning.text('summary') ?? formerSummary;
  const effort = reasoning.text('effort');
  return { effort, budgetTokens: null, visible: summary === null ? null : true };
}

function readFormat(body: RequestFields): OutputFormat {
  const text = body.object('text');
  const format = text?.object('format') ?? null;
  const verbosity = text?.text('verbosity') ?? DEFAULT_VERBOSITY;
  if (verbosity !== DEFAULT_VERBOSITY) text?.drop('verbosity');
  if (format === null) return { kind: 'text' };
  const type = format.neededText('type');
  if (type === 'text') return { kind: 'text' };
  if (type === 'json_object') return { kind: 'json' };
  if (type !== 'json_schema') throw format.invalid('type', 'must be `text`, `json_object` or `json_schema`');
  const schema = format.value('schema');
  if (schema === null) throw format.missing('schema');
  return { kind: 'json_schema', name: format.neededText('name'), schema, strict: format.flag('strict') };
}
