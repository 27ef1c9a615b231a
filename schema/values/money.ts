/**
 * Money is a whole number of pico-USD (10^-12 USD) in a bigint; no float ever touches it (DESIGN.md, "Money").
 * The smallest public token prices lie near 10^-10 USD, so every one of them is a whole number of pico-USD.
 */
export type PicoUsd = bigint;

export const PICO_PER_USD = 1_000_000_000_000n;
const FRACTION_DIGITS = 12;
/** Far more digits than any amount has; bounds the work a hostile text can cause. */
const MAX_TEXT_LENGTH = 64;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * Exact pico-USD of a decimal USD amount, scientific notation included (`1.5e-07` is 150000n).
 * Takes text, not a number, because a double has already lost digits.
 * @throws {RangeError} when the text is no decimal number or is finer than one pico-USD.
 */
export function parseUsd(text: string): PicoUsd {
  const match = text.length > MAX_TEXT_LENGTH ? null : DECIMAL.exec(text);
  if (match === null) throw new RangeError(`not a decimal amount of USD: ${JSON.stringify(text.slice(0, 40))}`);
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const shift = FRACTION_DIGITS - fraction.length + Number(exponent);
  const digits = BigInt(whole + fraction);
  if (shift >= 0) return (sign === '-' ? -1n : 1n) * digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  if (digits % divisor !== 0n) throw new RangeError(`finer than one pico-USD: ${text.slice(0, 40)}`);
  return (sign === '-' ? -1n : 1n) * (digits / divisor);
}

/** Exact decimal USD of an amount, without trailing zeros and never in scientific notation: 1500000n is `0.0000015`. */
export function formatUsd(amount: PicoUsd): string {
  const negative = amount < 0n;
  const digits = (negative ? -amount : amount).toString().padStart(FRACTION_DIGITS + 1, '0');
  const whole = digits.slice(0, -FRACTION_DIGITS);
  const fraction = digits.slice(-FRACTION_DIGITS).replace(/0+$/, '');
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
