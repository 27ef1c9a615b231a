import { GatewayError } from '../../../schema/errors.ts';
import { formatUsd } from '../../../schema/values/money.ts';
import type { OutputCap } from '../../../schema/values/output-cap.ts';
import { priceAt } from '../../registry/catalog/compiled-prices.ts';
import type { BudgetSubject } from '../../registry/catalog/match-budgets.ts';
import { endUserAlias } from '../../registry/catalog/match-budgets.ts';
import type { Exchange } from '../exchange.ts';
import type { HeldBytes } from '../held-bytes.ts';
import { rateLimitHeaders } from '../rate-limits/rate-limit-headers.ts';
import { rateLimitRefusal } from '../rate-limits/rate-limit-refusal.ts';
import type { PlannedShare } from '../shares/planned-share.ts';
import { planShares } from '../shares/planned-share.ts';
import type { ShareShortage } from '../shares/share-book.ts';
import type { OnShares, ShareNode } from '../shares/share-node.ts';
import { refusedByShare, shareRefusal } from '../shares/share-refusal.ts';
import { createTakenShares } from '../shares/taken-shares.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import { planCounts } from './budget-counts.ts';
import type { PlannedHold } from './budget-holds.ts';
import { planHolds } from './budget-holds.ts';
import { watchWarnable } from './budget-warning.ts';
import type { CompiledBudget, OrganizationBudgets } from './compiled-budgets.ts';
import { matchingBudgets } from './compiled-budgets.ts';
import type { HoldBooks } from './hold-books.ts';
import type { LeaseNode, LeaseRefusal, OnTaken } from './lease-node.ts';
import type { TokenBound } from './token-bound.ts';
import type { WatchedLimits } from './watched-limits.ts';

export interface BudgetGateOptions {
  readonly leases: Pick<LeaseNode, 'take' | 'standing'>;
  readonly shares: Pick<ShareNode, 'take' | 'settle' | 'standing'>;
  readonly holds: Pick<HoldBooks, 'release'>;
  readonly watched: Pick<WatchedLimits, 'see' | 'watch'>;
  /** Counts the bodies of requests that wait. */
  readonly held: HeldBytes;
  /** HMAC in base64url, for what stands for end users. */
  readonly hashOf: (text: string) => string;
  /** True from the moment the process stops: who still waits then is not let through any more. */
  readonly isStopping: () => boolean;
}

/** What one request asks of its budgets. */
export interface BudgetedRequest {
  readonly exchange: Exchange;
  readonly budgets: OrganizationBudgets;
  readonly target: CompiledModel;
  /** Of its route, where the request sets no limit itself. */
  readonly outputCap: OutputCap | null;
  readonly bodyBytes: number;
  /** Most tokens it can be billed for. */
  readonly bound: (target: CompiledModel, outputCap: OutputCap | null) => TokenBound;
  /** It costs nothing for certain: only what counts requests holds anything for it. Absent: it may cost something. */
  readonly isFree?: true;
  /**
   * Called where a budget that downgrades has no room: lets the request go to where it says instead, which is admitted anew, or is false, and the
   * request is refused. Absent: it was called before.
   */
  readonly downgrade?: (budget: DowngradingBudget) => boolean;
}

/** A budget that has no room, and where its requests go then. */
export interface DowngradingBudget {
  /** `bud_…` */
  readonly id: string;
  /** `provider/model` or `route/name`. */
  readonly downgradeTo: string;
}

/** Lets requests through that all of their enforced budgets have room for. */
export interface BudgetGate {
  /**
   * Takes the holds of a request, and its part of shares before them, and lets it `proceed` in the same turn, or once an ask for room is answered, at most
   * 250 ms later for each of the two; what `proceed` throws gives them back. Else it is refused, holding nothing.
   * @param refuse told of every refusal, also of what `proceed` throws.
   */
  admit(request: BudgetedRequest, proceed: () => void, refuse: Refuse): void;
  /** The first budget that would hold what a request uses, beyond its being one; null: none counts it. For what cannot be held. */
  enforcing(exchange: Exchange): CompiledBudget | null;
}

type Refuse = (exchange: Exchange, cause: unknown) => void;

/** Most holds that an event has room for. */
const MOST_HOLDS = 64;

/** Of nearly every request. */
const NO_SHARES: readonly PlannedShare[] = [];

export function createBudgetGate(options: BudgetGateOptions): BudgetGate {
  const { leases, shares, holds: holdBooks, watched, held, hashOf, isStopping } = options;
  const standingsOf = { counted: leases.standing, shared: shares.standing };

  const release = (exchange: Exchange): void => {
    if (exchange.holds !== null) holdBooks.release(exchange.requestId, exchange.holds);
    exchange.holds = null;
    exchange.shares?.release();
    exchange.shares = null;
  };

  /** Does what brings a request on; where that throws, it gives back what it holds and is refused. */
  const orRefuse = (exchange: Exchange, refuse: Refuse, act: () => void): void => {
    try {
      act();
    } catch (error) {
      // What is settled by somebody else has its holds settled there.
      if (!exchange.settled) release(exchange);
      refuse(exchange, error);
    }
  };

  /** Calls `take` with what is to be called once it is known what it took; the bytes of the body are counted until then. */
  const counted = <Answer extends readonly unknown[]>(
    bodyBytes: number,
    take: (onTaken: (...answer: Answer) => void) => void,
    then: (hasWaited: boolean, ...answer: Answer) => void,
  ): void => {
    let told = false;
    let waits = false;
    take((...answer) => {
      told = true;
      if (waits) held.remove(bodyBytes);
      then(waits, ...answer);
    });
    if (told) return;
    waits = true;
    held.add(bodyBytes);
  };

  /** @throws {GatewayError} */
  const refuseWaited = (hasWaited: boolean): void => {
    if (hasWaited && isStopping()) throw new GatewayError('not_ready');
  };

  return {
    enforcing: (exchange) => {
      const holding = exchange.snapshot.budgets.get(exchange.key.organizationId)?.holding ?? null;
      const matching = holding === null ? [] : matchingBudgets(holding, exchange.key, subjectOf(exchange, hashOf));
      return matching.find(({ kind, limits }) => kind === 'budget' && limits.some(({ unit }) => unit !== 'requests')) ?? null;
    },
    admit: ({ exchange, budgets, target, outputCap, bodyBytes, bound: boundAt, isFree, downgrade }, proceed, refuse) => {
      const { holding } = budgets;
      const subject = subjectOf(exchange, hashOf);
      const holders = holding === null ? [] : matchingBudgets(holding, exchange.key, subject);
      const matching = isFree === true ? holders.filter(countsRequests) : holders;
      const counting = budgets.counting === null ? [] : matchingBudgets(budgets.counting, exchange.key, subject);
      exchange.counts = null;
      exchange.warnable = null;
      exchange.limitHeaders = null;
      // Of where it went before a budget sent it elsewhere.
      exchange.shares?.release();
      exchange.shares = null;
      if (matching.length === 0 && counting.length === 0) return proceed();
      const bound = boundAt(target, outputCap);
      const sheet = priceAt(target.prices, exchange.admittedAtMs);
      if (counting.length > 0) {
        exchange.counts = planCounts(counting, subject, bound, sheet, watched);
        exchange.warnable = watchWarnable(exchange.counts, watched, null);
      }
      if (matching.length === 0) return proceed();
      const plan = planHolds(matching, subject, bound, sheet);
      if (plan.kind === 'unpriced') return refuse(exchange, unpriced(exchange, plan.budget));
      const { holds } = plan;
      exchange.warnable = watchWarnable(holds, watched, exchange.warnable);
      const shared = holding?.hasShared === true ? planShares(matching, subject, bound, sheet) : NO_SHARES;
      if (holds.length === 0 && shared.length === 0) return proceed();
      if (holds.length > MOST_HOLDS) {
        const message = `More than ${MOST_HOLDS} limits of budgets count this request.`;
        return refuse(exchange, new GatewayError('accounting_unavailable', { message }));
      }

      const hold = (): void =>
        counted<Parameters<OnTaken>>(
          bodyBytes,
          (onTaken) => leases.take(exchange.requestId, holds, onTaken),
          (hasWaited, taken, refusal) =>
            orRefuse(exchange, refuse, () => {
              exchange.limitHeaders = rateLimitHeaders(holds, shared, standingsOf);
              if (taken === null) {
                const budget = downgrading(holds, refusal);
                if (budget !== null && downgrade?.(budget) === true) return;
                throw refusalError(exchange, holds, refusal, leases.standing);
              }
              for (const [index, hold] of holds.entries()) hold.counter = taken[index]?.counter ?? '';
              exchange.holds = holds;
              refuseWaited(hasWaited);
              proceed();
            }),
        );
      if (shared.length === 0) return hold();

      // Before what is leased: a full share costs nothing to find out.
      const large = shared.find(({ amount, most }) => amount > most);
      if (large !== undefined) return refuse(exchange, sharedRefusal(exchange, large, 'short', shares.standing));
      counted<Parameters<OnShares>>(
        bodyBytes,
        (onShares) => shares.take(shared, onShares),
        (hasWaited, taken, shortage) =>
          orRefuse(exchange, refuse, () => {
            exchange.limitHeaders = rateLimitHeaders(holds, shared, standingsOf);
            if (taken === null) {
              const full = shared.find(({ limit, group }) => limit === shortage?.wanted.limit && group === shortage.wanted.group);
              throw sharedRefusal(exchange, full ?? shared[0], shortage?.kind ?? 'unproven', shares.standing);
            }
            exchange.shares = createTakenShares(shares, shared, taken);
            refuseWaited(hasWaited);
            if (holds.length > 0) hold();
            else proceed();
          }),
      );
    },
  };
}

function countsRequests({ kind, limits }: CompiledBudget): boolean {
  return kind === 'rate_limit' || limits.some(({ unit }) => unit === 'requests');
}

/** The refusal by a shared limit, and in the exchange for its event. */
function sharedRefusal(
  exchange: Exchange,
  share: PlannedShare | undefined,
  kind: ShareShortage['kind'],
  standingOf: ShareNode['standing'],
): GatewayError {
  if (share === undefined) return new GatewayError('accounting_unavailable', { retryAfterSeconds: 1 });
  const standing = standingOf(share.limit, share.group);
  exchange.refusedBy = refusedByShare(share, standing);
  return shareRefusal(share, kind, standing);
}

function subjectOf(exchange: Exchange, hashOf: (text: string) => string): BudgetSubject {
  const { key, endUser, model, provider, routeId, tags } = exchange;
  const { teamId, userId, serviceAccountId } = key;
  const aliasOf = (name: string): string => {
    exchange.endUserAlias ??= endUserAlias(hashOf, key.organizationId, name);
    return exchange.endUserAlias;
  };
  return { teamId, userId, serviceAccountId, apiKeyId: key.id, endUser, aliasOf, model, provider, routeId, tags };
}

function unpriced(exchange: Exchange, budget: CompiledBudget): GatewayError {
  const limit = budget.limits.find(({ unit }) => unit === 'usd')?.id ?? '';
  exchange.refusedBy = { budget: budget.id, limit, needed: null, amount: null, settled: null, held: null };
  return new GatewayError('model_unpriced', { meta: { budget_id: budget.id } });
}

/** The budget that is short, where it is one that downgrades. */
function downgrading(holds: readonly PlannedHold[], refusal: LeaseRefusal | null): DowngradingBudget | null {
  const limit = refusal?.limit ?? null;
  const budget = limit === null ? undefined : holds.find((hold) => hold.limit === limit)?.budget;
  return budget === undefined || budget.downgradeTo === null ? null : { id: budget.id, downgradeTo: budget.downgradeTo };
}

/** The refusal in the words of the contract (reference/client-contract.md section 2), and in the exchange for its event. */
function refusalError(
  exchange: Exchange,
  holds: readonly PlannedHold[],
  refusal: LeaseRefusal | null,
  standing: LeaseNode['standing'],
): GatewayError {
  const code = refusal?.code ?? 'accounting_unavailable';
  const retryAfterSeconds = refusal?.retryAfterSeconds === 0 ? null : (refusal?.retryAfterSeconds ?? 1);
  // Where nothing could be asked, the first of its budgets stands for all.
  const hold = holds.find(({ limit }) => limit === refusal?.limit) ?? holds[0];
  if (hold === undefined) return new GatewayError(code, { retryAfterSeconds });
  const seen = refusal?.seen ?? null;
  exchange.refusedBy = {
    budget: hold.budget.id,
    limit: hold.limit,
    needed: hold.amount.toString(),
    amount: seen?.amount.toString() ?? null,
    settled: seen?.settled.toString() ?? null,
    held: seen?.held.toString() ?? null,
  };
  if (hold.budget.kind === 'rate_limit' && code !== 'accounting_unavailable') {
    const retryAfter = { retryAfterSeconds: retryAfterSeconds ?? 1 };
    return rateLimitRefusal({ hold, seen, standing: standing(hold.limit, hold.group), ...retryAfter });
  }
  const status = code === 'insufficient_quota' ? exchange.snapshot.budgetExceededStatuses.get(exchange.key.organizationId) : undefined;
  return new GatewayError(code, { status, retryAfterSeconds, meta: metaOf(hold, refusal) });
}

function metaOf({ budget, limit, unit, amount }: PlannedHold, refusal: LeaseRefusal | null): Readonly<Record<string, unknown>> {
  const text = (value: bigint): string => (unit === 'usd' ? formatUsd(value) : value.toString());
  const window = budget.limits.find(({ id }) => id === limit)?.window.kind ?? null;
  const told = { [`${budget.kind}_id`]: budget.id, unit, window, needed: text(amount) };
  const seen = refusal?.seen ?? null;
  if (seen === null) return told;
  return {
    ...told,
    limit: text(seen.amount),
    spent: text(seen.settled),
    held: text(seen.held),
    resets_at: seen.resetsAt?.toISOString() ?? null,
  };
}
