import type { TokenUsage } from '../../../schema/values/token-usage.ts';
import { INPUT_CLASSES, OUTPUT_CLASSES, sumClasses } from '../../../schema/values/token-usage.ts';
import type { HoldCosts } from '../admission/leases/lease-state.ts';
import type { Ending } from '../settlement/settle.ts';
import type { TakenHold } from './budget-holds.ts';
import { fallbackCost } from './budget-holds.ts';

/**
 * What a request used of each counter it holds, in the counter's unit. A counter that is left out is one whose price or usage is not known: its hold
 * is debited whole, never 0. What was certainly never billed costs nothing; a request counts once a call was made.
 */
export function holdCosts(holds: readonly TakenHold[], ending: Ending): HoldCosts {
  // They are few, and mostly asked for in their order: a map of them would cost more than looking on from the last.
  let next = 0;
  return {
    get: (counter) => {
      for (let looked = 0; looked < holds.length; looked++) {
        const hold = holds[next];
        next = next + 1 < holds.length ? next + 1 : 0;
        if (hold?.counter === counter) return costOf(hold, ending) ?? undefined;
      }
      return undefined;
    },
  };
}

/** What a request used of a limit, in its unit; null where the price or usage is not known. */
export function costOf({ unit, budget }: Pick<TakenHold, 'unit' | 'budget'>, { cost, usage, attempts }: Ending): bigint | null {
  if (unit === 'requests') return attempts.length === 0 ? 0n : 1n;
  // It is over, so it does not run.
  if (unit === 'concurrent_requests') return 0n;
  if (cost.kind === 'free') return 0n;
  if (unit === 'usd' && cost.kind === 'rated') return cost.costPico;
  if (unit === 'input_tokens' || unit === 'output_tokens') {
    const sum = usage === null ? null : sumClasses(usage, unit === 'input_tokens' ? INPUT_CLASSES : OUTPUT_CLASSES);
    return sum === null ? null : BigInt(sum);
  }
  const tokens = usage === null ? null : tokensOf(usage);
  if (unit === 'tokens') return tokens === null ? null : BigInt(tokens.input + tokens.output);
  return tokens === null ? null : fallbackCost(budget, tokens);
}

/** Null where a side was not reported. */
function tokensOf(usage: TokenUsage): { readonly input: number; readonly output: number } | null {
  const input = sumClasses(usage, INPUT_CLASSES);
  const output = sumClasses(usage, OUTPUT_CLASSES);
  return input === null || output === null ? null : { input, output };
}
