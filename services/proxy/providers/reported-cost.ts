const FRACTION_DIGITS = 12;
/** Nobody charges a billion dollars for one call: such a number is no amount. */
const MOST_USD = 1e9;

/**
 * Pico-USD of an amount that a provider reports as a JSON number of USD, rounded to the nearest: what it prints is often a
 * float with digits of noise. Null where it is no amount.
 */
export function reportedPico(usd: unknown): bigint | null {
  if (typeof usd !== 'number' || !(usd >= 0 && usd <= MOST_USD)) return null;
  // The shortest text that reads as this number: the digits the provider wrote, where there are not more than a double holds.
  const [mantissa = '', exponent = '0'] = String(usd).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = BigInt(whole + fraction);
  const shift = FRACTION_DIGITS - fraction.length + Number(exponent);
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (digits * 2n + divisor) / (divisor * 2n);
}
