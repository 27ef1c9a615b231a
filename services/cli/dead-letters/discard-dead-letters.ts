import type { AskApi } from '../api/ask-api.ts';
import type { ChoiceOptions } from './chosen-letters.ts';
import { chooseLetters } from './chosen-letters.ts';
import { act } from './dead-letter.ts';
import { printable } from './printable.ts';

export type DiscardOptions = ChoiceOptions & { readonly because: string; readonly json?: true };

/** `turnpike deadletters discard`. @returns whether all of them were. */
export async function discardDeadLetters(
  ask: AskApi,
  given: readonly string[],
  options: DiscardOptions,
  { now, mintKey, print }: { readonly now: () => number; readonly mintKey: () => string; readonly print: (text: string) => void },
): Promise<boolean> {
  const { ids, more } = await chooseLetters(ask, given, options, now());
  const fates: { readonly id: string; readonly outcome: 'discarded' | 'refused'; readonly detail: string | null }[] = [];
  for (const id of ids) {
    const detail = await act(ask, 'deadLetterDiscard', { idempotencyKey: mintKey(), id, reason: options.because });
    const outcome = detail === null ? 'discarded' : 'refused';
    fates.push({ id, outcome, detail });
    if (options.json !== true) print(`${id}  ${outcome}${detail === null ? '' : `: ${printable(detail)}`}`);
  }
  if (options.json === true) print(JSON.stringify(fates, null, 2));
  else if (fates.length === 0) print('No open dead letter matches.');
  if (more) print('There are more that match: run it again for the rest.');
  return !more && fates.every(({ outcome }) => outcome === 'discarded');
}
