const wholeBasisPoints = 10_000n;

/** Hundredths of a percent, of a threshold as a budget's definition has it: a percentage with at most two decimals. */
export function basisPointsOf(threshold: string): number {
  const [whole = '', fraction = ''] = threshold.split('.');
  return Number(whole) * 100 + Number(fraction.padEnd(2, '0'));
}

/** Whether what is settled of a limit has come to a threshold, exactly. Both amounts are in the unit of the limit. */
export function comesTo(settled: bigint, amount: bigint, basisPoints: number): boolean {
  return settled * wholeBasisPoints >= amount * BigInt(basisPoints);
}
