import type { TokenUsage } from '../../../schema/values/token-usage.ts';
import { UNKNOWN_USAGE } from '../../../schema/values/token-usage.ts';
import { rateCost } from '../../../services/pricing/rate.ts';
import type { Ending, SettledCost } from '../../../services/proxy/settlement/settle.ts';
import type { Dice } from '../dice.ts';
import type { ExpectedEntry } from '../model.ts';
import { PRICES, SHEETS } from '../prices.ts';

/** How a call to the provider goes. */
export interface ProviderAnswer {
  /** Until its last byte. */
  readonly durationMs: number;
  /** What the proxy hands to its books. */
  readonly ending: Ending;
  /** What must stand there, worked out apart. */
  readonly expected: ExpectedEntry;
}

/** Decides a call's length and end by chance: whole answers, answers without usage, refusals, and applications that leave. */
export function answerOfProvider(dice: Dice, slow: boolean): ProviderAnswer {
  const durationMs = slow ? dice.between(2_000, 90_000) : dice.between(5, 1_500);
  const kind = dice.below(20);
  if (kind < 14) return succeeded(dice, durationMs, 'succeeded');
  if (kind < 16) return succeeded(dice, durationMs / 2, 'cancelled');
  if (kind < 17) return withoutUsage(durationMs, 'cancelled');
  if (kind < 18) return withoutUsage(durationMs, 'succeeded');
  return failed(durationMs / 4);
}

function succeeded(dice: Dice, durationMs: number, outcome: 'succeeded' | 'cancelled'): ProviderAnswer {
  const input = 1 + dice.below(5_000);
  const output = 1 + dice.below(2_000);
  const priced = dice.below(PRICES.length);
  const price = PRICES[priced];
  const sheet = SHEETS[priced];
  if (price === undefined || sheet === undefined) throw new RangeError('no such price');
  const usage: TokenUsage = { ...UNKNOWN_USAGE, input, output };
  const rated = rateCost(usage, null, { tier: null, batch: false, requests: 1 }, sheet.sheet);
  const cost: SettledCost =
    rated.kind === 'rated'
      ? { kind: 'rated', costPico: rated.cost, priceVersion: rated.priceVersion }
      : { kind: 'unrated', reason: rated.reason };
  return {
    durationMs,
    ending: { ...ending(durationMs, outcome), usage, cost },
    expected: {
      outcome,
      inputTokens: BigInt(input),
      outputTokens: BigInt(output),
      cost: BigInt(input) * price.input + BigInt(output) * price.output,
    },
  };
}

function withoutUsage(durationMs: number, outcome: 'succeeded' | 'cancelled'): ProviderAnswer {
  const cost: SettledCost = { kind: 'unrated', reason: 'usage_missing' };
  return {
    durationMs,
    ending: { ...ending(durationMs, outcome), usageFlags: ['usage_missing'], cost },
    expected: { outcome, inputTokens: null, outputTokens: null, cost: null },
  };
}

function failed(durationMs: number): ProviderAnswer {
  return {
    durationMs,
    ending: { ...ending(durationMs, 'failed'), cost: { kind: 'free' } },
    expected: { outcome: 'failed', inputTokens: null, outputTokens: null, cost: 0n },
  };
}

function ending(totalMs: number, outcome: 'succeeded' | 'cancelled' | 'failed'): Ending {
  const failedCall = outcome === 'failed';
  return {
    outcome,
    status: failedCall ? 502 : outcome === 'cancelled' ? 499 : 200,
    errorCode: failedCall ? 'upstream_error' : null,
    finishReason: outcome === 'succeeded' ? 'stop' : null,
    modelAnswered: 'echo',
    attempts: [
      {
        provider: 'sim',
        upstreamModel: 'echo',
        startMs: 0.5,
        durationMs: Math.round(totalMs),
        status: failedCall ? 500 : 200,
        outcome,
        errorCode: failedCall ? 'upstream_error' : null,
        providerRequestId: null,
      },
    ],
    usage: null,
    rawUsage: null,
    usageFlags: [],
    serviceTier: null,
    cost: { kind: 'free' },
    firstByteMs: failedCall ? null : totalMs / 3,
    totalMs,
    overheadMs: 0.5,
  };
}
