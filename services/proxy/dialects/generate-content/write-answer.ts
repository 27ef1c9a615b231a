import type { GenerateContentRequest } from '../../../../schema/http/generate-content.ts';
import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import type { AnswerEvent, TokenLogprob } from '../../conversation/answer-event.ts';
import type { AnswerStamp, NotCarried } from '../../conversation/dialect.ts';
import { stampMembers, writeLogprobs, writeUsage } from './answer-words.ts';
import { CandidateEnding, writeImage, writeRedacted, writeText, writeThought } from './candidate.ts';

/** A whole answer as content; what was asked for as a stream, but not as events, is a list of it. */
export function writeAnswer(
  events: readonly AnswerEvent[],
  stamp: AnswerStamp,
  { method }: GenerateContentRequest,
  notCarried: NotCarried,
): string {
  const candidates = new Map<number, WholeCandidate>();
  let usage: TokenUsage | null = null;
  let tier: string | null = null;
  for (const event of events) {
    if (event.kind === 'started') usage = event.usage ?? usage;
    else if (event.kind === 'usage') usage = event.usage;
    else if (event.kind === 'service_tier') tier = event.tier;
    else {
      const candidate = candidates.get(event.choice) ?? new WholeCandidate(notCarried);
      candidates.set(event.choice, candidate);
      candidate.take(event);
    }
  }
  const written = [...candidates].sort(([left], [right]) => left - right).map(([index, candidate]) => candidate.write(index));
  const used = usage === null ? null : writeUsage(usage, tier);
  const counted = used === null ? '' : `"usageMetadata":${JSON.stringify(used)},`;
  const answer = `{"candidates":[${written.join(',')}],${counted}${stampMembers(stamp)}}`;
  return method === 'streamGenerateContent' ? `[${answer}]` : answer;
}

class WholeCandidate {
  readonly #ending: CandidateEnding;
  readonly #parts: string[] = [];
  readonly #logprobs: TokenLogprob[] = [];
  /** The part that goes on. */
  #open: { readonly isThought: boolean; text: string } | null = null;

  constructor(notCarried: NotCarried) {
    this.#ending = new CandidateEnding(notCarried);
  }

  take(event: Extract<AnswerEvent, { choice: number }>): void {
    this.#ending.take(event);
    switch (event.kind) {
      case 'text':
      case 'refusal':
        this.#say(event.text, false);
        return;
      case 'thinking':
        this.#say(event.text, true);
        return;
      case 'thinking_signature': {
        const text = this.#open?.isThought === true ? this.#open.text : null;
        if (text === null) this.#close();
        this.#open = null;
        this.#parts.push(writeThought(text ?? '', event.signature));
        return;
      }
      case 'redacted_thinking':
        this.#close();
        this.#parts.push(writeRedacted(event.data));
        return;
      case 'image':
        this.#close();
        this.#parts.push(writeImage(event.mediaType, event.data));
        return;
      case 'logprobs':
        this.#logprobs.push(...event.tokens);
    }
  }

  write(index: number): string {
    this.#close();
    const told = this.#logprobs.length === 0 ? [] : [`"logprobsResult":${JSON.stringify(writeLogprobs(this.#logprobs))}`];
    return this.#ending.write(index, this.#parts, told);
  }

  #say(text: string, isThought: boolean): void {
    if (this.#open?.isThought !== isThought) this.#close();
    this.#open ??= { isThought, text: '' };
    this.#open.text += text;
  }

  #close(): void {
    if (this.#open !== null) this.#parts.push(this.#open.isThought ? writeThought(this.#open.text, null) : writeText(this.#open.text));
    this.#open = null;
  }
}
