import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { DeadLetterTable } from '../../schema/tables/dead-letter.table.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { AuditTarget } from '../journal/append-audit.ts';
import type { Change } from './change.ts';
import { RegistryError, recordAct } from './change.ts';
import { settleDiscardedHolds } from './discarded-holds.ts';
import { INSTALLATION_ID } from './seed.ts';

type Found = Pick<Selectable<DeadLetterTable>, 'id' | 'organization_id' | 'topic' | 'partition' | 'log_offset' | 'state'> & {
  readonly hash: string | null;
  readonly bytes: number | null;
};

/** Which letter, and whether letters of other organizations and of none are within reach. */
export interface DeadLetterReach {
  /** uuid. */
  readonly id: string;
  readonly everywhere: boolean;
}

/**
 * Asks the ledger to take a dead letter's event again, from its original bytes: it does so within seconds, in a transaction of
 * its own. One that is asked for already stays so. The act stands in the log of the letter's organization, or, where it has
 * none, in the installation's.
 * @returns null in place of the audit event where it was asked for already.
 * @throws RegistryError `not_found`, `invalid` where the letter is closed.
 */
export async function retryDeadLetter(change: Change, reach: DeadLetterReach): Promise<{ auditEventId: string | null }> {
  const letter = await findUnsettled(change, reach);
  if (letter.state === 'retrying') return { auditEventId: null };
  await change.trx
    .updateTable('dead_letters')
    .set({ state: 'retrying', retry_requested_at: new Date(change.clock.now()) })
    .where('id', '=', letter.id)
    .execute();
  const auditEventId = await recordAct(inLogOf(change, letter), {
    action: 'dead_letter.retry',
    targets: [targetOf(letter)],
    changes: [{ field: 'state', from: letter.state, to: 'retrying' }],
  });
  return { auditEventId };
}

/**
 * Puts a dead letter aside for good, also one that waits to be retried. Its bytes, headers and key are erased, personal data
 * among them; what it was, why it was dead, and the SHA-256 of its bytes remain, in the row and in the audit event. What its event had debited of
 * budgets is settled, as that of an orphan: see {@link settleDiscardedHolds}.
 * @throws RegistryError `not_found`, `invalid` where the letter is closed.
 */
export async function discardDeadLetter(
  change: Change,
  input: DeadLetterReach & { readonly reason: string },
): Promise<{ auditEventId: string }> {
  const letter = await findUnsettled(change, input);
  const holds = await settleHolds(change, letter);
  await sql`update dead_letters set state = 'discarded', discard_reason = ${input.reason}, closed_at = ${new Date(change.clock.now())},
    settled_holds = ${JSON.stringify(holds)}::jsonb, value_hash = sha256(value), value_bytes = length(value), value = null, headers = '{}', record_key = null
    where id = ${letter.id}`.execute(change.trx);
  const auditEventId = await recordAct(inLogOf(change, letter), {
    action: 'dead_letter.discard',
    targets: [targetOf(letter)],
    changes: [
      { field: 'state', from: letter.state, to: 'discarded' },
      { field: 'discardReason', from: null, to: input.reason },
      { field: 'value', from: `sha256:${letter.hash} (${letter.bytes} bytes)`, to: null },
      ...holds.map(({ counter, debit }) => ({ field: `held.${idFromUuid('counter', counter)}`, from: debit, to: '0' })),
    ],
  });
  return { auditEventId };
}

async function settleHolds(change: Change, { id, organization_id: organizationId, hash }: Found): ReturnType<typeof settleDiscardedHolds> {
  if (organizationId === null || hash === null) return [];
  const { record_key, headers, value } = await change.trx
    .selectFrom('dead_letters')
    .select(['record_key', 'headers', 'value'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  if (value === null) return [];
  return settleDiscardedHolds(change.trx, { organizationId, hash, key: record_key ?? '', headers, value });
}

async function findUnsettled(change: Change, { id, everywhere }: DeadLetterReach): Promise<Found> {
  let query = change.trx
    .selectFrom('dead_letters')
    .select(['id', 'organization_id', 'topic', 'partition', 'log_offset', 'state'])
    .select([sql<string | null>`encode(sha256(value), 'hex')`.as('hash'), sql<number | null>`length(value)`.as('bytes')])
    .where('id', '=', id);
  if (!everywhere) query = query.where('organization_id', '=', change.organizationId);
  const letter = await query.forUpdate().executeTakeFirst();
  if (letter === undefined) throw new RegistryError('not_found', 'There is no such dead letter.', ['id']);
  if (letter.state === 'posted') throw new RegistryError('invalid', 'This dead letter was posted: its event is in the ledger.', ['id']);
  if (letter.state === 'discarded') throw new RegistryError('invalid', 'This dead letter was discarded: its bytes are gone.', ['id']);
  return letter;
}

function inLogOf(change: Change, letter: Found): Change {
  return { ...change, organizationId: letter.organization_id ?? INSTALLATION_ID };
}

function targetOf(letter: Found): AuditTarget {
  const name = `${letter.topic}/${letter.partition}/${letter.log_offset}`;
  return { type: 'dead_letter', id: idFromUuid('deadLetter', letter.id), name };
}
