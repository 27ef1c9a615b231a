import type { Round } from '../../../services/ledger/store/sequencer-store.ts';
import type { WaitingItem } from './books.ts';
import { itemKey } from './books.ts';
import { databaseError } from './database-errors.ts';
import type { OpenTransaction } from './open-transaction.ts';

/** See `SequencingTransaction.placeOldest`. What waits is looked up first and the heads are locked then, as in the statement. */
export async function placeOldest(trx: OpenTransaction, limit: number, now: Date): Promise<Round> {
  const waiting = [...trx.books.waiting.values()].filter((item) => trx.waiting.has(itemKey(item)));
  const picked = waiting.sort(byTurn).slice(0, limit);
  const organizations = [...new Set(picked.map((item) => item.organizationId))].sort();
  const next = new Map<string, number>();
  for (const organization of organizations) {
    await trx.lock(`head ${organization}`);
    const own = trx.journal.filter((item) => item.organizationId === organization).length;
    next.set(organization, (trx.books.journals.get(organization)?.length ?? 0) + own);
  }
  for (const item of picked) {
    const key = itemKey(item);
    if (trx.placed.has(key)) {
      throw databaseError(
        '23505',
        'duplicate key value violates unique constraint "journal_positions_of_item"',
        'journal_positions_of_item',
      );
    }
    const { kind, id, organizationId, occurredAt } = item;
    const position = next.get(organizationId) ?? 0;
    next.set(organizationId, position + 1);
    const placed = { kind, id, organizationId, occurredAt, position: BigInt(position), sequencedAt: now };
    trx.placed.set(key, placed);
    trx.journal.push(placed);
    trx.waiting.delete(key);
  }
  const oldestMs = picked.length === 0 ? null : Math.min(...picked.map((item) => item.occurredAt.getTime()));
  return { sequenced: picked.length, oldestMs };
}

function byTurn(left: WaitingItem, right: WaitingItem): number {
  if (left.partition !== right.partition) return left.partition - right.partition;
  if (left.offset !== right.offset) return left.offset < right.offset ? -1 : 1;
  if (left.id !== right.id) return left.id < right.id ? -1 : 1;
  return left.kind < right.kind ? -1 : 1;
}
