import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import type { AnswerEvent, Citation, FinishReason } from '../../conversation/answer-event.ts';
import type { AnswerStamp, AnswerStreamWriter, NotCarried } from '../../conversation/dialect.ts';
import { messageId, writeCitation, writeEnding, writeUsage } from './answer-words.ts';

type OpenBlock = 'text' | 'thinking' | 'tool_use';

/**
 * Writes an answer as a stream of Anthropic's: a block begins when another kind of content comes, and ends before the next one. Reason and usage are told
 * together at the end, as Anthropic does, since most providers tell their usage last.
 */
export class MessageStreamWriter implements AnswerStreamWriter {
  readonly #stamp: AnswerStamp;
  readonly #notCarried: NotCarried;
  #open: OpenBlock | null = null;
  /** Of the block that began last. */
  #index = -1;
  /** Which block a call is. */
  readonly #calls = new Map<number, number>();
  /** How the pieces of the open block begin, up to their text. */
  #piece = '';
  #usage: TokenUsage | null = null;
  #tier: string | null = null;
  #reason: FinishReason | null = null;
  #stopSequence: string | null = null;
  #refusal: string | null = null;

  constructor(stamp: AnswerStamp, notCarried: NotCarried) {
    this.#stamp = stamp;
    this.#notCarried = notCarried;
  }

  write(event: AnswerEvent): string {
    if ('choice' in event && event.choice !== 0) return '';
    switch (event.kind) {
      case 'text':
        return this.#text(event.text);
      case 'refusal':
        this.#refusal = (this.#refusal ?? '') + event.text;
        return this.#text(event.text);
      case 'thinking':
        return `${this.#thinking()}${this.#piece}${JSON.stringify(event.text)}}}\n\n`;
      case 'thinking_signature':
        return this.#sign(event.signature);
      case 'redacted_thinking':
        return this.#stop() + this.#start(`{"type":"redacted_thinking","data":${JSON.stringify(event.data)}}`) + this.#stopped(this.#index);
      case 'tool_call': {
        // What proves the call stands with the thinking before it, as Anthropic has it.
        const stopped = (event.signature === null ? '' : this.#sign(event.signature)) + this.#stop();
        const begun = this.#start(
          `{"type":"tool_use","id":${JSON.stringify(event.callId)},"name":${JSON.stringify(event.name)},"input":{}}`,
        );
        this.#calls.set(event.call, this.#index);
        this.#open = 'tool_use';
        return stopped + begun;
      }
      case 'tool_input': {
        const index = this.#calls.get(event.call);
        return index === undefined ? '' : this.#delta(index, `"input_json_delta","partial_json":${JSON.stringify(event.json)}`);
      }
      case 'citation':
        return this.#cite(event.citation);
      case 'image':
        this.#notCarried('images');
        return '';
      case 'started':
        return this.#begin(event.usage);
      case 'finished':
        this.#reason = event.reason;
        this.#stopSequence = event.stopSequence;
        return this.#stop();
      case 'usage':
        this.#usage = event.usage;
        return '';
      case 'service_tier':
        this.#tier = event.tier;
        return '';
      case 'logprobs':
        return '';
    }
  }

  end(): string {
    const delta = writeEnding(this.#reason, this.#stopSequence, this.#refusal);
    const ending = JSON.stringify({ type: 'message_delta', delta, usage: writeUsage(this.#usage, this.#tier) });
    return `${this.#stop()}event: message_delta\ndata: ${ending}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n`;
  }

  #begin(usage: TokenUsage | null): string {
    const message = {
      id: messageId(this.#stamp),
      type: 'message',
      role: 'assistant',
      model: this.#stamp.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: writeUsage(usage, null),
    };
    return `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message })}\n\n`;
  }

  #text(text: string): string {
    let begun = '';
    if (this.#open !== 'text') {
      begun = this.#stop() + this.#start('{"type":"text","text":""}');
      this.#open = 'text';
      this.#piece = this.#deltaHead(this.#index, '"text_delta","text":');
    }
    return `${begun}${this.#piece}${JSON.stringify(text)}}}\n\n`;
  }

  #thinking(): string {
    if (this.#open === 'thinking') return '';
    const begun = this.#stop() + this.#start('{"type":"thinking","thinking":"","signature":""}');
    this.#open = 'thinking';
    this.#piece = this.#deltaHead(this.#index, '"thinking_delta","thinking":');
    return begun;
  }

  #sign(signature: string): string {
    const begun = this.#thinking();
    const signed = this.#delta(this.#index, `"signature_delta","signature":${JSON.stringify(signature)}`);
    // A signature ends what it signs.
    return begun + signed + this.#stop();
  }

  /** Of a text that ended nothing more can be said. */
  #cite(cited: Citation): string {
    const citation = writeCitation(cited);
    if (citation === null || this.#open !== 'text') {
      this.#notCarried('citations');
      return '';
    }
    return this.#delta(this.#index, `"citations_delta","citation":${JSON.stringify(citation)}`);
  }

  #start(block: string): string {
    this.#index += 1;
    return `event: content_block_start\ndata: {"type":"content_block_start","index":${this.#index},"content_block":${block}}\n\n`;
  }

  #stop(): string {
    if (this.#open === null) return '';
    this.#open = null;
    return this.#stopped(this.#index);
  }

  #stopped(index: number): string {
    return `event: content_block_stop\ndata: {"type":"content_block_stop","index":${index}}\n\n`;
  }

  #delta(index: number, content: string): string {
    return `${this.#deltaHead(index, content)}}}\n\n`;
  }

  #deltaHead(index: number, content: string): string {
    return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{"type":${content}`;
  }
}
