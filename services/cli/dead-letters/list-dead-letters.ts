import { PlainFailure } from '../../runtime/start-refusal.ts';
import type { AskApi } from '../api/ask-api.ts';
import { table } from '../table.ts';
import type { FilterOptions } from './chosen-letters.ts';
import { listOf, parseFilter } from './chosen-letters.ts';
import type { DeadLetter, State } from './dead-letter.ts';
import { findDeadLetters } from './dead-letter.ts';
import { printable } from './printable.ts';

export type ListOptions = FilterOptions & { readonly state: string; readonly limit: string; readonly json?: true };
type Print = (text: string) => void;

const states: readonly State[] = ['OPEN', 'RETRYING', 'POSTED', 'DISCARDED'];
const mostRows = 10_000;

/** `turnpike deadletters list`. */
export async function listDeadLetters(ask: AskApi, options: ListOptions, nowMs: number, print: Print): Promise<void> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > mostRows) {
    throw new PlainFailure(`--limit: expected 1 to ${mostRows}, found ${JSON.stringify(options.limit)}`);
  }
  const filter = parseFilter(options, parseStates(options.state), nowMs);
  const { letters, more } = await findDeadLetters(ask, filter, { limit, oldestFirst: false });
  if (options.json === true) return print(JSON.stringify(letters, null, 2));
  if (letters.length === 0) return print('No dead letters.');
  print(table(['ID', 'STATE', 'RECORDED', 'REASON', 'ORGANIZATION', 'BYTES', 'DETAIL'], letters.map(rowOf)));
  if (more) print(`There are more than these ${letters.length}: --limit shows more of them.`);
}

function parseStates(text: string): readonly State[] {
  if (text === 'all') return states;
  return listOf(text).map((name) => {
    const state = states.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
    if (state === undefined)
      throw new PlainFailure(`--state: expected open, retrying, posted, discarded or all, found ${JSON.stringify(name)}`);
    return state;
  });
}

function rowOf(letter: DeadLetter): readonly string[] {
  return [
    letter.id,
    letter.state.toLowerCase(),
    letter.recordedAt.slice(0, 19).replace('T', ' '),
    printable(letter.reason),
    letter.organizationId ?? '-',
    String(letter.size),
    printable(whatOf(letter)),
  ];
}

/** Of a closed letter what became of it, else what is wrong with it, as the latest try found. */
function whatOf({ state, requestId, discardReason, retryReason, retryDetail, detail }: DeadLetter): string {
  if (state === 'POSTED') return `booked as ${requestId}`;
  if (state === 'DISCARDED') return discardReason ?? '';
  return retryReason === null ? detail : `retried: ${retryReason}, ${retryDetail ?? ''}`;
}
