import type { Topic } from '../../../schema/events/topics.ts';
import type { LedgerEntryInsert } from '../../../services/journal/entry-columns.ts';
import type { ExpectedEntry, Model, TrueRequest } from '../model.ts';
import type { Books } from '../store/books.ts';
import type { Verdict } from './verdict.ts';

/** How the account came out. */
export interface Account {
  readonly entries: number;
  readonly orphans: number;
  readonly deadLetters: number;
  /** Admissions that a power cut took within what is promised. */
  readonly lost: number;
  /** Disturbed by a disk that lied about a sync and lost power. */
  readonly lied: number;
}

const ORPHANED: ExpectedEntry = { outcome: 'orphaned', inputTokens: null, outputTokens: null, cost: null };

/**
 * The whole account, once everything has healed and come to rest: each request that was called for or answered is an entry
 * once, saying what really happened, or an orphan where a death left only its opening record.
 */
export function settleAccount(options: {
  readonly model: Model;
  readonly books: Books;
  readonly topic: Topic;
  readonly entriesByEvent: ReadonlyMap<string, LedgerEntryInsert>;
  /** Ids of events that somebody else put into the log. */
  readonly foreign: ReadonlySet<string>;
  readonly verdict: Verdict;
}): Account {
  const { model, books, entriesByEvent, verdict } = options;
  let [orphans, lost, lied] = [0, 0, 0];
  const counted = new Set<string>(options.foreign);
  for (const request of model.requests.values()) {
    const entry = entriesByEvent.get(request.requestId);
    counted.add(request.requestId);
    if (request.lied) lied += 1;
    if (request.lost && entry === undefined) lost += 1;
    if (entry === undefined) {
      if ((request.called || request.answered) && !request.lost && !request.lied)
        verdict.breach('a call that was made is never lost', `${request.requestId} of ${request.machine} is not in the books`);
      continue;
    }
    if (entry.outcome === 'orphaned') orphans += 1;
    compare(request, entry, verdict);
  }
  for (const eventId of entriesByEvent.keys())
    if (!counted.has(eventId)) verdict.breach('nothing is booked that was not', `${eventId} is in the books and was never admitted`);
  return { entries: entriesByEvent.size, orphans, deadLetters: books.deadLetters.size, lost, lied };
}

function compare(request: TrueRequest, entry: LedgerEntryInsert, verdict: Verdict): void {
  const { requestId } = request;
  if (entry.organization_id !== request.organizationUuid || entry.api_key_id !== request.keyUuid)
    verdict.breach('an entry says what happened', `${requestId} is booked on another organization or key`);
  if (request.lost && !request.lied) verdict.breach('nothing is booked that was not', `${requestId} left no record and has an entry`);
  const expected = request.orphaned || request.ending === null ? ORPHANED : request.ending;
  if (agrees(entry, expected) || (request.lied && (agrees(entry, ORPHANED) || (request.ending !== null && agrees(entry, request.ending)))))
    return;
  verdict.breach(
    'an entry says what happened',
    `${requestId}: booked ${entry.outcome} ${entry.tokens_input}/${entry.tokens_output} ${entry.cost}, ` +
      `true ${expected.outcome} ${expected.inputTokens}/${expected.outputTokens} ${expected.cost}`,
  );
}

function agrees(entry: LedgerEntryInsert, expected: ExpectedEntry): boolean {
  return (
    entry.outcome === expected.outcome &&
    entry.tokens_input === expected.inputTokens &&
    entry.tokens_output === expected.outputTokens &&
    entry.cost === expected.cost
  );
}
