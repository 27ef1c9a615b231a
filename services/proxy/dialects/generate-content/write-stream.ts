import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import type { AnswerEvent } from '../../conversation/answer-event.ts';
import type { AnswerStamp, AnswerStreamWriter, NotCarried } from '../../conversation/dialect.ts';
import { stampMembers, writeLogprobs, writeUsage } from './answer-words.ts';
import { CandidateEnding, writeImage, writeRedacted, writeText, writeThought } from './candidate.ts';

/**
 * Writes content as a stream of events. Texts and thinking go out as they come; calls, of which Google has no pieces, with the last chunk, which has the ends of
 * all candidates and the usage. Nothing goes out before the model says something: an error until then is one the application can act on.
 */
export class ContentStreamWriter implements AnswerStreamWriter {
  /** Everything of a chunk that follows its candidates. */
  readonly #tail: string;
  readonly #notCarried: NotCarried;
  readonly #candidates: CandidateEnding[] = [];
  #usage: TokenUsage | null = null;
  #tier: string | null = null;

  constructor(stamp: AnswerStamp, notCarried: NotCarried) {
    this.#notCarried = notCarried;
    this.#tail = `${stampMembers(stamp)}}\r\n\r\n`;
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
        let candidate = this.#candidates[event.choice];
        if (candidate === undefined) {
          candidate = new CandidateEnding(this.#notCarried);
          this.#candidates[event.choice] = candidate;
        }
        candidate.take(event);
        return this.#writePiece(event);
      }
    }
  }

  end(): string {
    const used = this.#usage === null ? null : writeUsage(this.#usage, this.#tier);
    const counted = used === null ? '' : `"usageMetadata":${JSON.stringify(used)},`;
    const written = this.#candidates.flatMap((candidate, index) => [candidate.write(index, [])]);
    return `data: {"candidates":[${written.join(',')}],${counted}${this.#tail}`;
  }

  #writePiece(event: Extract<AnswerEvent, { choice: number }>): string {
    switch (event.kind) {
      case 'text':
      case 'refusal':
        return this.#chunk(event.choice, writeText(event.text));
      case 'thinking':
        return this.#chunk(event.choice, writeThought(event.text, null));
      case 'thinking_signature':
        return this.#chunk(event.choice, writeThought('', event.signature));
      case 'redacted_thinking':
        return this.#chunk(event.choice, writeRedacted(event.data));
      case 'image':
        return this.#chunk(event.choice, writeImage(event.mediaType, event.data));
      case 'logprobs':
        return this.#chunk(event.choice, writeText(''), `,"logprobsResult":${JSON.stringify(writeLogprobs(event.tokens))}`);
      default:
        return '';
    }
  }

  #chunk(index: number, part: string, members = ''): string {
    return `data: {"candidates":[{"content":{"role":"model","parts":[${part}]},"index":${index}${members}}],${this.#tail}`;
  }
}
