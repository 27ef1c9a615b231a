import { GatewayError } from '../../../../schema/errors.ts';
import type {
  AssistantPart,
  Conversation,
  DocumentPart,
  ImagePart,
  OutputFormat,
  ReasoningWish,
  Tool,
  ToolResultPart,
  Turn,
  UserPart,
} from '../../conversation/conversation.ts';
import type { NotCarried, ProviderRequest } from '../../conversation/dialect.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';

/** `p` is below 1: what wants no cut at all gets the one that is nearest to it. */
const GREATEST_P = 0.99;
/** Most sequences that it takes. */
const MAX_STOP_SEQUENCES = 5;

type Member = Readonly<Record<string, unknown>>;

/** Writes a conversation as a request to Cohere's v2 chat. @throws {GatewayError} for content that it cannot be given. */
export function writeRequest(conversation: Conversation, target: CompiledModel, notCarried: NotCarried): ProviderRequest {
  const { toolChoice, topP, reasoning, logprobs, stopSequences } = conversation;
  const writing = new Writing(notCarried);
  const messages = conversation.turns.flatMap((turn) => writing.messages(turn));
  if (conversation.choices > 1) notCarried('n');
  if (conversation.parallelToolCalls === false) notCarried('parallel_tool_calls');
  if (conversation.serviceTier !== null && conversation.serviceTier !== 'auto') notCarried('service_tier');
  if (logprobs !== null && logprobs > 0) notCarried('top_logprobs');
  if (conversation.endUser !== null) notCarried('user');
  if (stopSequences.length > MAX_STOP_SEQUENCES) notCarried('stop');
  // It cannot be told to call one of them, but it can be given that one alone.
  const tools = toolChoice?.kind === 'tool' ? conversation.tools.filter(({ name }) => name === toolChoice.name) : conversation.tools;
  const body = {
    model: target.upstreamModel,
    messages,
    stream: conversation.stream,
    ...(writing.documents.length === 0 ? {} : { documents: writing.documents }),
    ...(tools.length === 0 ? {} : writing.tools(tools)),
    tool_choice: toolChoice === null || toolChoice.kind === 'auto' ? undefined : toolChoice.kind === 'none' ? 'NONE' : 'REQUIRED',
    max_tokens: conversation.maxOutputTokens ?? undefined,
    temperature: conversation.temperature ?? undefined,
    p: topP === null ? undefined : Math.min(topP, GREATEST_P),
    k: conversation.topK ?? undefined,
    frequency_penalty: penaltyOf(conversation.frequencyPenalty, 'frequency_penalty', notCarried),
    presence_penalty: penaltyOf(conversation.presencePenalty, 'presence_penalty', notCarried),
    seed: conversation.seed ?? undefined,
    stop_sequences: stopSequences.length === 0 ? undefined : stopSequences.slice(0, MAX_STOP_SEQUENCES),
    logprobs: logprobs === null ? undefined : true,
    response_format: formatOf(conversation.outputFormat),
    thinking: reasoning === null ? undefined : thinkingOf(reasoning, notCarried),
  };
  return { path: '/v2/chat', body: JSON.stringify(body), headers: [] };
}

/** What grows while a conversation is written: documents stand beside the messages. */
class Writing {
  readonly documents: Member[] = [];
  readonly #notCarried: NotCarried;

  constructor(notCarried: NotCarried) {
    this.#notCarried = notCarried;
  }

  /** A turn of the user's is several messages where it has results of tools: those are messages of their own. */
  messages(turn: Turn): Member[] {
    for (const part of turn.parts) if ('cache' in part && part.cache !== null) this.#notCarried('cache_control');
    if (turn.role === 'instructions') return [{ role: 'system', content: contentOf(turn.parts.map(({ text }) => textPart(text))) }];
    if (turn.role === 'assistant') return [this.#assistant(turn.parts)];
    const messages: Member[] = [];
    let content: Member[] = [];
    const endMessage = (): void => {
      if (content.length > 0) messages.push({ role: 'user', content: contentOf(content) });
      content = [];
    };
    for (const part of turn.parts) {
      if (part.kind === 'tool_result') {
        endMessage();
        messages.push(this.#toolResult(part));
      } else content.push(...this.#userContent(part));
    }
    endMessage();
    return messages;
  }

  tools(tools: readonly Tool[]): Member {
    if (tools.some(({ cache }) => cache !== null)) this.#notCarried('cache_control');
    const strict = tools.every((tool) => tool.strict === true);
    if (!strict && tools.some((tool) => tool.strict === true)) this.#notCarried('tools[].function.strict');
    const functions = tools.map(({ name, description, parameters }) => ({
      type: 'function',
      function: { name, description: description ?? undefined, parameters: parameters ?? { type: 'object', properties: {} } },
    }));
    return { tools: functions, strict_tools: strict ? true : undefined };
  }

  #userContent(part: Exclude<UserPart, ToolResultPart>): Member[] {
    switch (part.kind) {
      case 'text':
        return [textPart(part.text)];
      case 'image':
        return this.#image(part);
      case 'document':
        this.#document(part);
        return [];
      case 'audio':
        throw refused('Cohere takes no sound.');
    }
  }

  #image({ source, detail }: ImagePart): Member[] {
    if (source.kind === 'file') throw refused('Cohere knows no files.');
    const url = source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
    return [{ type: 'image_url', image_url: { url, detail: detail ?? undefined } }];
  }

  #document(part: DocumentPart): void {
    if (part.source.kind === 'text')
      this.documents.push({ id: `doc:${this.documents.length}`, data: dataOf(part.title, part.source.text) });
    else throw refused('Cohere takes documents as text only.');
  }

  #toolResult({ callId, parts, isError }: ToolResultPart): Member {
    if (isError) this.#notCarried('messages[].content[].is_error');
    const content = parts.flatMap((part): Member[] => {
      if (part.cache !== null) this.#notCarried('cache_control');
      if (part.kind === 'text') return [textPart(part.text)];
      if (part.kind === 'document' && part.source.kind === 'text') {
        return [{ type: 'document', document: { data: dataOf(part.title, part.source.text) } }];
      }
      throw refused('Cohere takes the results of tools as text only.');
    });
    return { role: 'tool', tool_call_id: callId, content: contentOf(content) };
  }

  /** What it says before it calls is its plan, as Cohere tells it apart. */
  #assistant(parts: readonly AssistantPart[]): Member {
    const said: string[] = [];
    const thought: Member[] = [];
    const calls: Member[] = [];
    for (const part of parts) {
      if (part.kind === 'text' || part.kind === 'refusal') said.push(part.text);
      else if (part.kind === 'thinking') thought.push({ type: 'thinking', thinking: part.text });
      else if (part.kind === 'redacted_thinking') this.#notCarried('messages[].content[].redacted_thinking');
      else {
        if (part.signature !== null) this.#notCarried('messages[].tool_calls[].signature');
        calls.push({ id: part.callId, type: 'function', function: { name: part.name, arguments: part.input } });
      }
    }
    if (calls.length === 0) return { role: 'assistant', content: contentOf([...thought, ...said.map(textPart)]) };
    return {
      role: 'assistant',
      content: thought.length === 0 ? undefined : thought,
      tool_plan: said.length === 0 ? undefined : said.join(''),
      tool_calls: calls,
    };
  }
}

/** A question without a part of its content is another question. */
function refused(message: string): GatewayError {
  return new GatewayError('invalid_request', { message, param: 'messages' });
}

function textPart(text: string): Member {
  return { type: 'text', text };
}

/** A lone text is written as such. */
function contentOf(parts: readonly Member[]): unknown {
  const [first] = parts;
  if (first === undefined) return '';
  return parts.length === 1 && first.type === 'text' ? first.text : parts;
}

function dataOf(title: string | null, text: string): Member {
  return { title: title ?? undefined, text };
}

function formatOf(format: OutputFormat): unknown {
  if (format.kind === 'text') return undefined;
  return format.kind === 'json' ? { type: 'json_object' } : { type: 'json_object', json_schema: format.schema };
}

/** From 0 to 1: it can be held from repeating itself, and not be made to. */
function penaltyOf(penalty: number | null, name: string, notCarried: NotCarried): number | undefined {
  if (penalty === null) return undefined;
  const taken = Math.min(1, Math.max(0, penalty));
  if (taken !== penalty) notCarried(name);
  return taken;
}

/** It thinks or does not; how much is a number of tokens only. */
function thinkingOf({ effort, budgetTokens }: ReasoningWish, notCarried: NotCarried): Member | undefined {
  if (effort === 'none') return { type: 'disabled' };
  if (budgetTokens !== null) return { type: 'enabled', token_budget: budgetTokens };
  if (effort === null) return undefined;
  notCarried('reasoning_effort');
  return { type: 'enabled' };
}
