/** How long the ledger's transactions took and how much they held, by its own `/metrics`; percentiles are read between the bounds of the buckets. */
export async function readTransactions(
  address: string,
): Promise<{ readonly transactionMs: { readonly p50: number; readonly p99: number }; readonly entriesPerTransaction: number }> {
  const response = await fetch(`${address}/metrics`, { signal: AbortSignal.timeout(5_000) });
  const text = await response.text();
  const value = (name: string): number => Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
  const buckets = [...text.matchAll(/^turnpike_ledger_batch_seconds_bucket\{le="([^"]+)"[^}]*\} (\S+)$/gm)].map(([, bound, counted]) => ({
    bound: bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound),
    counted: Number(counted),
  }));
  return {
    transactionMs: { p50: 1_000 * quantile(buckets, 0.5), p99: 1_000 * quantile(buckets, 0.99) },
    entriesPerTransaction: value('turnpike_ledger_entries_posted_total') / value('turnpike_ledger_batch_seconds_count'),
  };
}

/** As PromQL's `histogram_quantile` reads it. */
function quantile(buckets: readonly { readonly bound: number; readonly counted: number }[], share: number): number {
  const rank = share * (buckets.at(-1)?.counted ?? 0);
  const at = buckets.findIndex(({ counted }) => counted >= rank);
  const [from, to] = [buckets[at - 1] ?? { bound: 0, counted: 0 }, buckets[at]];
  if (to === undefined) return Number.NaN;
  if (to.bound === Number.POSITIVE_INFINITY) return from.bound;
  return from.bound + (to.bound - from.bound) * ((rank - from.counted) / (to.counted - from.counted));
}
