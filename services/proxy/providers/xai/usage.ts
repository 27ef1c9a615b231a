import type { ReadCost } from '../openai/usage.ts';

/** Ten billion ticks are a US dollar. */
const PICO_PER_TICK = 100n;

export const xaiCost: ReadCost = ({ cost_in_usd_ticks: ticks }) =>
  typeof ticks === 'number' && Number.isSafeInteger(ticks) && ticks >= 0 ? BigInt(ticks) * PICO_PER_TICK : null;
