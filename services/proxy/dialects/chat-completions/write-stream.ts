import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import type { AnswerEvent } from '../../conversation/answer-event.ts';
import type { AnswerStamp, AnswerStreamWriter, NotCarried } from '../../conversation/dialect.ts';
import { annotation, callExtra, completionId, finishReason, imagePart, tokenLogprobs } from './answer-words.ts';
import { ThinkingBlocks } from './thinking-blocks.ts';
import { writeUsage } from './write-usage.ts';

const DONE = 'data: [DONE]\n\n';
/** Annotations of a choice at most; those after them are not told. */
const MAX_ANNOTATIONS = 1_024;
const ROLE = '{"role":"assistant","content":"","refusal":null}';

/**
 * Writes a chat completion as a stream (client-contract section 3). What clients would not put together from pieces, the blocks of thinking and the
 * annotations, comes whole before its choice ends. Nothing goes out before a choice says something: an error until then is one the application can act on.
 */
export class ChatStreamWriter implements AnswerStreamWriter {
  /** A chunk up to the number of its choice. */
  readonly #head: string;
  /** From the end of the choice on. */
  readonly #tail: string;
  readonly #usageAsked: boolean;
  readonly #notCarried: NotCarried;
  readonly #choices: StreamedChoice[] = [];
  #usage: TokenUsage | null = null;
  #tier: string | null = null;

  constructor(stamp: AnswerStamp, notCarried: NotCarried) {
    const { createdSeconds, model, usageAsked } = stamp;
    const stamped = JSON.stringify({ id: completionId(stamp), object: 'chat.completion.chunk', created: createdSeconds, model });
    this.#head = `data: ${stamped.slice(0, -1)},"choices":[`;
    this.#tail = usageAsked ? '],"usage":null}\n\n' : ']}\n\n';
    this.#usageAsked = usageAsked;
    this.#notCarried = notCarried;
  }

  write(event: AnswerEvent): string {
    switch (event.kind) {
      case 'started':
        this.#usage = event.usage ?? this.#usage;
        return '';
      case 'usage':
        this.#usage = event.usage;
        return '';
      case 'service_tier':
        this.#tier = event.tier;
        return '';
      default: {
        const known = this.#choices[event.choice];
        if (known !== undefined) return this.#writeChoice(event, known);
        const choice = new StreamedChoice();
        this.#choices[event.choice] = choice;
        return this.#delta(event.choice, ROLE) + this.#writeChoice(event, choice);
      }
    }
  }

  end(): string {
    const usage = this.#usageAsked && this.#usage !== null ? writeUsage(this.#usage) : null;
    if (usage === null) return DONE;
    const tier = this.#tier === null ? '' : `,"service_tier":${JSON.stringify(this.#tier)}`;
    return `${this.#head}],"usage":${JSON.stringify(usage)}${tier}}\n\n${DONE}`;
  }

  #writeChoice(event: Extract<AnswerEvent, { choice: number }>, choice: StreamedChoice): string {
    switch (event.kind) {
      case 'text':
        choice.textLength += event.text.length;
        return this.#delta(event.choice, `{"content":${JSON.stringify(event.text)}}`);
      case 'thinking':
        choice.thinking.take(event);
        return this.#delta(event.choice, `{"reasoning_content":${JSON.stringify(event.text)}}`);
      case 'thinking_signature':
      case 'redacted_thinking':
        choice.thinking.take(event);
        return '';
      case 'refusal':
        choice.hasRefusal = true;
        return this.#delta(event.choice, `{"refusal":${JSON.stringify(event.text)}}`);
      case 'tool_call': {
        choice.callsWithoutInput.add(event.call);
        const { call, callId, name, signature } = event;
        const extra = signature === null ? {} : { extra_content: callExtra(signature) };
        const written = { index: call, id: callId, type: 'function', function: { name, arguments: '' }, ...extra };
        return this.#delta(event.choice, `{"tool_calls":[${JSON.stringify(written)}]}`);
      }
      case 'tool_input':
        if (event.json !== '') choice.callsWithoutInput.delete(event.call);
        return this.#input(event.choice, event.call, event.json);
      case 'citation': {
        const written = annotation(event.citation, choice.textLength);
        if (written !== null && choice.annotations.length < MAX_ANNOTATIONS) choice.annotations.push(written);
        else this.#notCarried('citations');
        return '';
      }
      case 'image':
        return this.#delta(event.choice, `{"images":[${JSON.stringify(imagePart(event, choice.images++))}]}`);
      case 'logprobs':
        return this.#chunk(event.choice, '{}', JSON.stringify({ content: tokenLogprobs(event.tokens), refusal: null }), 'null');
      case 'finished':
        return this.#finish(event.choice, choice, finishReason(event.reason, choice.hasRefusal));
      default:
        return event satisfies never;
    }
  }

  #finish(index: number, { callsWithoutInput, thinking, annotations }: StreamedChoice, reason: string): string {
    let written = '';
    for (const call of callsWithoutInput) written += this.#input(index, call, '{}');
    const blocks = thinking.signed();
    if (blocks !== null) written += this.#delta(index, JSON.stringify({ thinking_blocks: blocks }));
    if (annotations.length > 0) written += this.#delta(index, JSON.stringify({ annotations }));
    return written + this.#chunk(index, '{}', 'null', `"${reason}"`);
  }

  #input(index: number, call: number, json: string): string {
    return this.#delta(index, `{"tool_calls":[{"index":${call},"function":{"arguments":${JSON.stringify(json)}}}]}`);
  }

  #delta(index: number, delta: string): string {
    return this.#chunk(index, delta, 'null', 'null');
  }

  #chunk(index: number, delta: string, logprobs: string, reason: string): string {
    return `${this.#head}{"index":${index},"delta":${delta},"logprobs":${logprobs},"finish_reason":${reason}}${this.#tail}`;
  }
}

/** What is known of a choice while it is written. */
class StreamedChoice {
  textLength = 0;
  images = 0;
  hasRefusal = false;
  readonly callsWithoutInput = new Set<number>();
  readonly thinking = new ThinkingBlocks();
  readonly annotations: object[] = [];
}
