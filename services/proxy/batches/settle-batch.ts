import { idFromUuid } from '../../../schema/values/ids.ts';
import { backoffMs } from '../../eventlog/backoff.ts';
import type { Spool } from '../../eventlog/spool.ts';
import { parsePriceSheet } from '../../pricing/price-sheet.ts';
import type { CatalogProvider } from '../../registry/catalog/catalog.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import type { Fields } from '../body/json-fields.ts';
import { isFields, textOf } from '../body/json-fields.ts';
import type { AccountCalls } from '../files/account-calls.ts';
import { accountAt } from '../files/provider-account.ts';
import type { Entropy } from '../settlement/entropy.ts';
import type { Writer } from '../settlement/settle.ts';
import type { CompiledSnapshot } from '../snapshot/compiled-snapshot.ts';
import { chargeFor } from './batch-charges.ts';
import type { BatchCharge, BatchRecords, ClaimedBatch } from './batch-records.ts';
import { CHARGES_AT_ONCE } from './batch-records.ts';
import { completedRequests, isOver } from './batch-status.ts';
import { parseBatchTerms } from './batch-terms.ts';
import type { BatchTimes } from './batch-times.ts';
import type { ObserveBatch } from './observe-batch.ts';
import { readOutput } from './read-output.ts';

export interface SettleBatchOptions {
  readonly records: BatchRecords;
  readonly calls: AccountCalls;
  readonly observe: ObserveBatch;
  readonly snapshot: () => CompiledSnapshot | null;
  readonly spool: Pick<Spool, 'append'>;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly random: Random;
  readonly times: BatchTimes;
}

/** Brings a batch one step on: it is found out what became of it, what it cost, and whether the ledger has that. @throws what keeps it from that. */
export type SettleBatch = (batch: ClaimedBatch) => Promise<void>;

/** Of a list of batches, in which one is looked for whose making nobody confirmed. */
const PAGE = 100;
const MOST_PAGES = 10;

export function createSettleBatch(options: SettleBatchOptions): SettleBatch {
  const { records, calls, observe, spool, writer, clock, entropy, random, times } = options;

  const accountOf = (batch: ClaimedBatch): { readonly account: CatalogProvider; readonly snapshot: CompiledSnapshot } => {
    const snapshot = options.snapshot();
    if (snapshot === null) throw new Error('there is no snapshot of the registry');
    return { account: accountAt(snapshot, idFromUuid('organization', batch.organizationId), batch), snapshot };
  };

  /** Whether the provider made it although nobody heard of it: then it has the file, and a name that no other batch of ours has. */
  const lookForMade = async (batch: ClaimedBatch): Promise<void> => {
    const { account } = accountOf(batch);
    let after: string | null = null;
    for (let page = 0; page < MOST_PAGES; page++) {
      const path: string = `/batches?limit=${PAGE}${after === null ? '' : `&after=${encodeURIComponent(after)}`}`;
      const { value } = await calls.ask(account, { method: 'GET', path, headers: [] });
      const listed: Fields[] = Array.isArray(value.data) ? value.data.filter(isFields) : [];
      for (const object of listed) {
        const id = textOf(object.id);
        if (id === null || object.input_file_id !== batch.inputFileId) continue;
        if (await records.name(batch, id, object, 0)) return;
      }
      after = textOf(listed.at(-1)?.id);
      if (after === null || value.has_more !== true) break;
    }
    if (batch.ageMs > times.makingMostMs) await records.settle(batch);
    else await records.postpone(batch, times.makingMs);
  };

  const append = ({ entryId, record }: BatchCharge): Promise<void> =>
    new Promise((resolve, reject) => {
      if (!spool.append(idFromUuid('request', entryId), record, resolve)) reject(new Error('the spool takes no records'));
    });

  /**
   * Hands over what the ledger does not have. What it has already it knows by its id, and by its bytes, which are always the same.
   * @returns whether there was any.
   */
  const handOver = async (batch: ClaimedBatch): Promise<boolean> => {
    let after: string | null = null;
    for (;;) {
      const charges: readonly BatchCharge[] = await records.unbooked(batch, after);
      for (const charge of charges) await append(charge);
      const last = charges.at(-1)?.entryId ?? null;
      if (charges.length < CHARGES_AT_ONCE || last === null) return after !== null || last !== null;
      after = last;
    }
  };

  const rate = async (batch: ClaimedBatch, account: CatalogProvider, snapshot: CompiledSnapshot, object: Fields): Promise<void> => {
    const terms = parseBatchTerms(batch.terms);
    const outputFile = textOf(object.output_file_id);
    if (outputFile === null && (completedRequests(object) ?? 0) > 0) throw new Error('the batch is over and names no output file');
    const sheet = terms.sheet === null ? null : parsePriceSheet(terms.sheet);
    const sums = outputFile === null ? [] : await readOutput(calls, account, outputFile, sheet);
    const context = {
      batchId: batch.id ?? '',
      terms,
      budgets: snapshot.budgets.get(terms.key.organizationId),
      writer,
      nowMs: clock.now(),
      entropy: entropy.take,
    };
    const charges = sums.map((sum) => chargeFor(sum, context));
    const isOurs = await records.rate(batch, charges, times.bookedMs);
    if (isOurs) await handOver({ ...batch, state: 'rated' });
  };

  return async (batch) => {
    if (batch.state === 'making') return lookForMade(batch);
    if (batch.state === 'rated') {
      const { retryFirstMs: firstMs, retryMostMs: mostMs } = times;
      const retryMs = backoffMs(batch.failures + 1, { firstMs, mostMs }, random);
      if (await handOver(batch)) await records.fail(batch, 'the ledger does not have all of it yet', retryMs);
      else await records.settle(batch);
      return;
    }
    const { account, snapshot } = accountOf(batch);
    const { value } = await calls.ask(account, { method: 'GET', path: `/batches/${encodeURIComponent(batch.id ?? '')}`, headers: [] });
    await observe(batch, value, { wakes: false });
    if (isOver(value)) return rate(batch, account, snapshot, value);
    await records.postpone(batch, Math.min(times.runningMostMs, Math.max(times.runningLeastMs, batch.ageMs / 10)));
  };
}
