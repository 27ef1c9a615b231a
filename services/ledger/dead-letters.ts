import { mintUuid } from '../../schema/values/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { DeadRecord } from './prepare.ts';
import type { DeadLetterInsert } from './store/ledger-store.ts';

/**
 * Dead letters of records that could not be booked: their bytes as they came, why, and where they stood. It takes any record:
 * headers and key are freed of what PostgreSQL cannot store, for this is where everything else that fails ends up.
 */
export function deadLettersOf(
  records: readonly DeadRecord[],
  options: { readonly topic: string; readonly clock: Clock; readonly random: Random },
): DeadLetterInsert[] {
  const { topic, clock, random } = options;
  const nowMs = clock.now();
  return records.map(({ record, reason, detail, organizationId }) => ({
    id: mintUuid(nowMs, random.bytes(10)),
    topic,
    partition: record.partition,
    offset: record.offset,
    reason,
    detail: storable(detail),
    organizationId,
    key: storable(record.key),
    headers: storableHeaders(record.headers),
    value: record.value,
  }));
}

function storableHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [storable(name), storable(value)]));
}

function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
