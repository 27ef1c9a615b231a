import { setTimeout as pause } from 'node:timers/promises';
import { PlainFailure } from '../../runtime/start-refusal.ts';
import type { AskApi } from '../api/ask-api.ts';
import type { ChoiceOptions } from './chosen-letters.ts';
import { chooseLetters } from './chosen-letters.ts';
import type { DeadLetter } from './dead-letter.ts';
import { act, readDeadLetters } from './dead-letter.ts';
import { printable } from './printable.ts';

export type RetryOptions = ChoiceOptions & { readonly wait: string; readonly json?: true };

/** What became of one letter. `queued`: it was asked for and not taken yet. */
type Fate = {
  readonly id: string;
  readonly outcome: 'posted' | 'open' | 'discarded' | 'queued' | 'refused';
  readonly requestId: string | null;
  readonly reason: string | null;
  readonly detail: string | null;
};

const lookEveryMs = 500;
/** As many as the API gives at once. */
const together = 100;
const mostSeconds = 3_600;

/**
 * `turnpike deadletters retry`: asks for each letter, then waits for what becomes of them.
 * @returns whether all of them are in the books.
 */
export async function retryDeadLetters(
  ask: AskApi,
  given: readonly string[],
  options: RetryOptions,
  { now, mintKey, print }: { readonly now: () => number; readonly mintKey: () => string; readonly print: (text: string) => void },
): Promise<boolean> {
  const seconds = Number(options.wait);
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > mostSeconds) {
    throw new PlainFailure(`--wait: expected 0 to ${mostSeconds} seconds, found ${JSON.stringify(options.wait)}`);
  }
  const { ids, more } = await chooseLetters(ask, given, options, now());
  const fates = new Map<string, Fate>();
  for (const id of ids) {
    const refusal = await act(ask, 'deadLetterRetry', { idempotencyKey: mintKey(), id });
    fates.set(id, { id, outcome: refusal === null ? 'queued' : 'refused', requestId: null, reason: null, detail: refusal });
  }
  await lookAtRefused(ask, fates);
  const deadlineMs = now() + seconds * 1_000;
  while ((await lookAtQueued(ask, fates)) && now() < deadlineMs) await pause(lookEveryMs);

  const all = [...fates.values()];
  if (options.json === true) print(JSON.stringify(all, null, 2));
  else {
    for (const fate of all) print(sentence(fate));
    if (all.length === 0) print('No open dead letter matches.');
  }
  if (more) print('There are more that match: run it again for the rest.');
  return !more && all.every(({ outcome }) => outcome === 'posted');
}

/** One that was posted before it was asked for is where it was wanted. */
async function lookAtRefused(ask: AskApi, fates: Map<string, Fate>): Promise<void> {
  const refused = [...fates.values()].filter(({ outcome }) => outcome === 'refused').map(({ id }) => id);
  for (let start = 0; start < refused.length; start += together) {
    const letters = await readDeadLetters(ask, refused.slice(start, start + together));
    for (const letter of letters.values()) if (letter.state === 'POSTED') fates.set(letter.id, fateOf(letter));
  }
}

/** Brings the fates of those that are queued up to date. @returns whether some still are. */
async function lookAtQueued(ask: AskApi, fates: Map<string, Fate>): Promise<boolean> {
  const queued = [...fates.values()].filter(({ outcome }) => outcome === 'queued').map(({ id }) => id);
  let left = 0;
  for (let start = 0; start < queued.length; start += together) {
    const part = queued.slice(start, start + together);
    const letters = await readDeadLetters(ask, part);
    for (const id of part) {
      const letter = letters.get(id);
      if (letter === undefined || letter.state === 'RETRYING') left += 1;
      else fates.set(id, fateOf(letter));
    }
  }
  return left > 0;
}

function fateOf({ id, state, requestId, retryReason, retryDetail, discardReason }: DeadLetter): Fate {
  if (state === 'POSTED') return { id, outcome: 'posted', requestId, reason: null, detail: null };
  if (state === 'DISCARDED') return { id, outcome: 'discarded', requestId: null, reason: null, detail: discardReason };
  return { id, outcome: 'open', requestId: null, reason: retryReason, detail: retryDetail };
}

function sentence({ id, outcome, requestId, reason, detail }: Fate): string {
  const said = printable(detail ?? '');
  switch (outcome) {
    case 'posted':
      return `${id}  posted as ${requestId}`;
    case 'open':
      return `${id}  open again: ${printable(reason ?? '')}, ${said}`;
    case 'discarded':
      return `${id}  discarded meanwhile: ${said}`;
    case 'refused':
      return `${id}  refused: ${said}`;
    case 'queued':
      return `${id}  queued: no ledger has taken it yet`;
  }
}
