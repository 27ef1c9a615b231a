import type { Fields } from '../../../body/json-fields.ts';
import { isFields, textOf } from '../../../body/json-fields.ts';
import type { OnEvent } from './call-reader.ts';
import { ChoiceReader } from './choice-reader.ts';

/** Reads a chat completion into events: all of it, or chunk by chunk. */
export class CompletionReader {
  readonly #onEvent: OnEvent;
  readonly #choices: ChoiceReader[] = [];
  #answerId: string | null = null;
  #sources: readonly unknown[] | null = null;

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent;
  }

  /** Whether something was said, and of each choice why it ended. */
  get isFinished(): boolean {
    return this.#choices.length > 0 && this.#choices.every(({ isFinished }) => isFinished);
  }

  /** @param said the member of a choice that has its words. */
  take(completion: Fields, said: 'delta' | 'message'): void {
    const { choices } = completion;
    // Perplexity's; a chunk repeats what those before it had.
    const sources = completion.search_results ?? completion.citations;
    if (Array.isArray(sources) && sources.length > 0) this.#sources = sources;
    if (!Array.isArray(choices)) return;
    for (const choice of choices) {
      if (!isFields(choice)) continue;
      const words = choice[said];
      this.#choiceOf(choice, completion).take(choice, isFields(words) ? words : NO_WORDS);
    }
  }

  /** Ends every choice. */
  finish(): void {
    this.#choices.forEach((choice) => {
      // Each rests on the same search.
      if (this.#sources !== null) choice.cite(this.#sources);
      choice.finish();
    });
  }

  #choiceOf({ index }: Fields, completion: Fields): ChoiceReader {
    const number = typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < MAX_CHOICES ? index : 0;
    const known = this.#choices[number];
    if (known !== undefined) return known;
    if (this.#answerId === null) {
      this.#answerId = textOf(completion.id) ?? '';
      this.#onEvent({ kind: 'started', id: textOf(completion.id), model: textOf(completion.model), usage: null });
    }
    const choice = new ChoiceReader(number, this.#answerId, this.#onEvent);
    this.#choices[number] = choice;
    return choice;
  }
}

const NO_WORDS: Fields = {};
/** As many as may be asked for. */
const MAX_CHOICES = 128;
