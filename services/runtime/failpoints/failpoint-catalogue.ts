/** Where a process can be made to fail. */
export interface FailpointEntry {
  /** The moment, for a person: what has happened by then, and what has not. */
  readonly at: string;
  /** Whether what stands there may fail by its contract; where it may not, `error` is refused. */
  readonly mayFail: boolean;
}

const moment = (at: string): FailpointEntry => ({ at, mayFail: false });
const call = (at: string): FailpointEntry => ({ at, mayFail: true });

const writing = {
  create: call('the next segment is needed, its file is not there'),
  created: call('the next segment is an empty file'),
  write: call('frames are about to be written'),
  tear: call('half of the bytes are written'),
  wrote: call('frames are written, not synced, and nobody knows'),
  sync: call('frames are about to be synced'),
  synced: call('frames are synced, and nobody knows'),
} as const;

/**
 * Every failpoint there is, by the process that passes it: the boundaries of the recipe that brings a request into the books
 * once (reference/ledger.md section 2). The names are what `TURNPIKE_FAILPOINTS` takes.
 */
export const FAILPOINTS = {
  'proxy.spool.create': writing.create,
  'proxy.spool.created': writing.created,
  'proxy.spool.write': writing.write,
  'proxy.spool.tear': writing.tear,
  'proxy.spool.wrote': writing.wrote,
  'proxy.spool.sync': writing.sync,
  'proxy.spool.synced': writing.synced,
  'proxy.spool.note-sent': call('the log has taken a batch, the note of it is about to be written'),
  'proxy.spool.noted-sent': call('the note of what the log has taken is written, not synced'),
  'proxy.spool.remove': call('all of a segment has left, its file is about to go'),
  'proxy.spool.removed': call('the file of a segment that has left is gone, its name perhaps not'),
  'proxy.request.open': moment('a request is admitted, nothing of it is written'),
  'proxy.request.opened': moment('its opening record is written, the provider is not called'),
  'proxy.upstream.call': moment('the provider is about to be called'),
  'proxy.upstream.called': moment('the call was handed to a connection'),
  'proxy.upstream.head': moment('the first byte of the answer is here'),
  'proxy.upstream.data': moment('a part of the answer is here'),
  'proxy.upstream.end': moment('the last byte of the answer is here, nothing is settled'),
  'proxy.request.close': moment('the settlement is decided, nothing of it is written'),
  'proxy.request.closed': moment('the settlement is written, the last byte has not gone out'),
  'proxy.request.answered': moment('the last byte has gone out'),
  'proxy.producer.append': call('a batch is about to go to the event log'),
  'proxy.producer.appended': call('the event log has taken a batch, and nobody knows'),
  'ledger.journal.create': writing.create,
  'ledger.journal.created': writing.created,
  'ledger.journal.write': writing.write,
  'ledger.journal.tear': writing.tear,
  'ledger.journal.wrote': writing.wrote,
  'ledger.journal.sync': writing.sync,
  'ledger.journal.synced': writing.synced,
  'ledger.partition.take-over': call('a partition was assigned, its row is not ours'),
  'ledger.partition.taken-over': call('its row is ours under a new epoch, nothing is read'),
  'ledger.batch.fetched': call('a batch was read from the log, nothing is done with it'),
  'ledger.batch.handled': call('it is in the books, the log has not been told'),
  'ledger.books.make-room': call('the month of a batch may have no table yet'),
  'ledger.books.begin': call('a transaction is about to begin'),
  'ledger.books.locked': call('its partitions are locked, nothing is written'),
  'ledger.books.entries': call('its entries are written'),
  'ledger.books.subjects': call('its personal data are written'),
  'ledger.books.rollups': call('its sums are written'),
  'ledger.books.dead-letters': call('its dead letters are written'),
  'ledger.books.offsets': call('all of it is written, COMMIT is not sent'),
  'ledger.books.committed': call('it is committed, and nobody knows'),
  'ledger.hint.commit': call('Kafka is about to be told how far the books are'),
  'ledger.hint.committed': call('Kafka was told how far the books are'),
  'ledger.sequencer.led': call('this process became the one that gives positions'),
  'ledger.sequencer.placed': call('positions are written'),
  'ledger.sequencer.notified': call('readers are to be woken, COMMIT is not sent'),
  'ledger.sequencer.committed': call('positions are committed, and nobody knows'),
  'ledger.redrive.settle': call('a dead letter is about to be taken again'),
  'ledger.redrive.settled': call('its fate is committed, and nobody knows'),
  'api.tail.woken': moment('something was sequenced, nothing is read'),
  'api.tail.read': call('a page of the journal is about to be read'),
  'api.tail.page': call('a page of the journal was read, no stream has it'),
} as const satisfies Readonly<Record<string, FailpointEntry>>;

export type FailpointName = keyof typeof FAILPOINTS;

export function isFailpointName(name: string): name is FailpointName {
  return Object.hasOwn(FAILPOINTS, name);
}
