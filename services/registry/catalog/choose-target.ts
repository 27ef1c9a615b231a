import type { Choice, Decision } from './catalog.ts';

/** Digits of the id the draw is made from: 30 of its 74 random bits, which a double holds exactly. */
const DRAWN_DIGITS = 6;
const BITS_PER_DIGIT = 5;
const DRAW_RANGE = 2 ** (DRAWN_DIGITS * BITS_PER_DIGIT);
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** Value of a digit by its character code; 0 for what is none. */
const DIGIT_OF = Uint8Array.from({ length: 128 }, (_, code) => Math.max(0, ALPHABET.indexOf(String.fromCharCode(code))));

/**
 * Takes one of the decisions, each as often as its weight is part of the sum. The draw is made from the random end of the
 * request's id and from nothing else, so that anybody can repeat it for a request in the ledger.
 */
export function chooseTarget<Sheet>(choice: Choice<Sheet>, requestId: string): Decision<Sheet> {
  const { decisions, weightSums } = choice;
  if (decisions.length === 1) return decisions[0];
  const drawn = (drawOf(requestId) / DRAW_RANGE) * (weightSums[weightSums.length - 1] ?? 0);
  for (let index = 0; index < decisions.length; index++) {
    const decision = decisions[index];
    if (decision !== undefined && drawn < (weightSums[index] ?? 0)) return decision;
  }
  return decisions[0];
}

/** A whole number below {@link DRAW_RANGE}, evenly distributed over ids. */
function drawOf(requestId: string): number {
  let draw = 0;
  for (let position = requestId.length - DRAWN_DIGITS; position < requestId.length; position++) {
    draw = draw * 2 ** BITS_PER_DIGIT + (DIGIT_OF[requestId.charCodeAt(position)] ?? 0);
  }
  return draw;
}
