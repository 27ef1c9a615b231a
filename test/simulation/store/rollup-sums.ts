import type { RollupRow } from '../../../services/ledger/rollups.ts';
import { refuseOutOfRange } from './entry-constraints.ts';

/** The stored row and what is added to it, as the upsert's `do update` has it. @throws 22003 where a sum leaves its column. */
export function addRollup(kept: RollupRow | undefined, row: RollupRow): RollupRow {
  const sum: RollupRow = {
    ...row,
    requests: (kept?.requests ?? 0) + row.requests,
    unratedRequests: (kept?.unratedRequests ?? 0) + row.unratedRequests,
    estimatedRequests: (kept?.estimatedRequests ?? 0) + row.estimatedRequests,
    streamedRequests: (kept?.streamedRequests ?? 0) + row.streamedRequests,
    cost: (kept?.cost ?? 0n) + row.cost,
    tokens: row.tokens.map((tokens, index) => addReported(kept?.tokens[index] ?? null, tokens)),
    firstByteHistogram: row.firstByteHistogram.map((count, bucket) => count + (kept?.firstByteHistogram[bucket] ?? 0)),
    totalHistogram: row.totalHistogram.map((count, bucket) => count + (kept?.totalHistogram[bucket] ?? 0)),
  };
  refuseOutOfRange('cost', sum.cost);
  for (const tokens of sum.tokens) if (tokens !== null) refuseOutOfRange('tokens', tokens);
  return sum;
}

function addReported(kept: bigint | null, added: bigint | null): bigint | null {
  if (kept === null) return added;
  return added === null ? kept : kept + added;
}
