import type { TokenClass, TokenUsage, UnitUsage } from '../../../schema/values/token-usage.ts';
import { TOKEN_CLASSES } from '../../../schema/values/token-usage.ts';
import type { PriceSheet } from '../../pricing/price-sheet.ts';
import type { Cost } from '../../pricing/rate.ts';
import { rateCost } from '../../pricing/rate.ts';
import type { OutputUsage } from './output-line.ts';

/** Usage of several lines that costs as a whole what its lines cost. */
export interface BatchSum extends OutputUsage {
  readonly cost: Cost;
}

/**
 * Sums the lines of a batch up to as few sums as cost what their lines cost, each rated at the batch price. Where prices are linear that is one; a price
 * that rises with the length of a request, or that is for each request, takes more. Lines that cannot be rated are apart from those that can.
 */
export class BatchSums {
  readonly #sheet: PriceSheet | null;
  /** To which lines of a kind are still added. */
  readonly #open = new Map<string, BatchSum>();
  readonly #done: BatchSum[] = [];

  /** @param sheet null: there is no price. */
  constructor(sheet: PriceSheet | null) {
    this.#sheet = sheet;
  }

  add(line: OutputUsage): void {
    const sum: BatchSum = { ...line, cost: this.#rate(line) };
    const kind = `${line.serviceTier} ${line.usage === null} ${line.units === null} ${sum.cost.kind === 'rated' ? '' : sum.cost.reason}`;
    const before = this.#open.get(kind);
    const both = before === undefined ? sum : this.#together(before, sum);
    if (both === null && before !== undefined) this.#done.push(before);
    this.#open.set(kind, both ?? sum);
  }

  all(): readonly BatchSum[] {
    return [...this.#done, ...this.#open.values()];
  }

  /** Null where they would cost something else together. */
  #together(one: BatchSum, other: BatchSum): BatchSum | null {
    const both = {
      modelAnswered: one.modelAnswered === other.modelAnswered ? one.modelAnswered : null,
      usage: sumOfUsage(one.usage, other.usage),
      units: sumOfUnits(one.units, other.units),
      serviceTier: one.serviceTier,
      flags: [...new Set([...one.flags, ...other.flags])],
    };
    const cost = this.#rate(both);
    return isSum(cost, one.cost, other.cost) ? { ...both, cost } : null;
  }

  #rate({ usage, units, serviceTier }: OutputUsage): Cost {
    return rateCost(usage, units, { tier: serviceTier, batch: true, requests: 1 }, this.#sheet);
  }
}

function isSum(whole: Cost, one: Cost, other: Cost): boolean {
  if (whole.kind === 'rated') return one.kind === 'rated' && other.kind === 'rated' && whole.cost === one.cost + other.cost;
  return one.kind === 'unrated' && other.kind === 'unrated' && whole.reason === one.reason && whole.reason === other.reason;
}

function sumOfUsage(one: TokenUsage | null, other: TokenUsage | null): TokenUsage | null {
  if (one === null || other === null) return null;
  const sum: { [Class in TokenClass]: number | null } = { ...one };
  for (const tokenClass of TOKEN_CLASSES) sum[tokenClass] = plus(one[tokenClass], other[tokenClass]);
  return sum;
}

function sumOfUnits(one: UnitUsage | null, other: UnitUsage | null): UnitUsage | null {
  if (one === null || other === null) return null;
  return {
    searches: plus(one.searches, other.searches),
    images: plus(one.images, other.images),
    audioSeconds: plus(one.audioSeconds, other.audioSeconds),
  };
}

/** Null: neither says. */
function plus(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : one + other;
}
