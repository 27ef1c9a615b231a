import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import type { AnswerEvent } from '../../conversation/answer-event.ts';
import type { AnswerStamp, NotCarried } from '../../conversation/dialect.ts';
import { annotation, callExtra, completionId, finishReason, imagePart, tokenLogprobs } from './answer-words.ts';
import { ThinkingBlocks } from './thinking-blocks.ts';
import { writeUsage } from './write-usage.ts';

/** A whole answer as a chat completion. */
export function writeAnswer(events: readonly AnswerEvent[], stamp: AnswerStamp, _request: unknown, notCarried: NotCarried): string {
  const choices = new Map<number, ChoiceWriter>();
  let usage: TokenUsage | null = null;
  let tier: string | null = null;
  for (const event of events) {
    if (event.kind === 'started') usage = event.usage ?? usage;
    else if (event.kind === 'usage') usage = event.usage;
    else if (event.kind === 'service_tier') tier = event.tier;
    else {
      const choice = choices.get(event.choice) ?? new ChoiceWriter(notCarried);
      choices.set(event.choice, choice);
      choice.take(event);
    }
  }
  const counted = usage === null ? null : writeUsage(usage);
  return JSON.stringify({
    id: completionId(stamp),
    object: 'chat.completion',
    created: stamp.createdSeconds,
    model: stamp.model,
    choices: [...choices].sort(([left], [right]) => left - right).map(([index, choice]) => choice.written(index)),
    ...(counted === null ? {} : { usage: counted }),
    ...(tier === null ? {} : { service_tier: tier }),
  });
}

type ChoiceEvent = Extract<AnswerEvent, { choice: number }>;

class ChoiceWriter {
  readonly #notCarried: NotCarried;
  #text = '';
  #refusal = '';
  #reasoning = '';
  readonly #thinking = new ThinkingBlocks();
  readonly #calls = new Map<number, { readonly call: Extract<ChoiceEvent, { kind: 'tool_call' }>; json: string }>();
  readonly #annotations: object[] = [];
  readonly #logprobs: object[] = [];
  readonly #images: object[] = [];
  #finish: Extract<ChoiceEvent, { kind: 'finished' }> | null = null;

  constructor(notCarried: NotCarried) {
    this.#notCarried = notCarried;
  }

  take(event: ChoiceEvent): void {
    switch (event.kind) {
      case 'text':
        this.#text += event.text;
        return;
      case 'refusal':
        this.#refusal += event.text;
        return;
      case 'thinking':
        this.#reasoning += event.text;
        this.#thinking.take(event);
        return;
      case 'thinking_signature':
      case 'redacted_thinking':
        this.#thinking.take(event);
        return;
      case 'tool_call':
        this.#calls.set(event.call, { call: event, json: '' });
        return;
      case 'tool_input': {
        const called = this.#calls.get(event.call);
        if (called !== undefined) called.json += event.json;
        return;
      }
      case 'citation': {
        const written = annotation(event.citation, this.#text.length);
        if (written === null) this.#notCarried('citations');
        else this.#annotations.push(written);
        return;
      }
      case 'image':
        this.#images.push(imagePart(event, this.#images.length));
        return;
      case 'logprobs':
        this.#logprobs.push(...tokenLogprobs(event.tokens));
        return;
      case 'finished':
        this.#finish = event;
        return;
      default:
        event satisfies never;
    }
  }

  written(index: number): object {
    const hasOther = this.#calls.size > 0 || this.#refusal !== '';
    const blocks = this.#thinking.signed();
    const calls = [...this.#calls.values()].map(({ call: { callId, name, signature }, json }) => ({
      id: callId,
      type: 'function',
      function: { name, arguments: json === '' ? '{}' : json },
      ...(signature === null ? {} : { extra_content: callExtra(signature) }),
    }));
    return {
      index,
      message: {
        role: 'assistant',
        content: this.#text === '' && hasOther ? null : this.#text,
        refusal: this.#refusal === '' ? null : this.#refusal,
        ...(this.#reasoning === '' ? {} : { reasoning_content: this.#reasoning }),
        ...(blocks === null ? {} : { thinking_blocks: blocks }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
        ...(this.#images.length === 0 ? {} : { images: this.#images }),
        ...(this.#annotations.length === 0 ? {} : { annotations: this.#annotations }),
      },
      logprobs: this.#logprobs.length === 0 ? null : { content: this.#logprobs, refusal: null },
      finish_reason: finishReason(this.#finish?.reason ?? 'stop', this.#refusal !== ''),
    };
  }
}
