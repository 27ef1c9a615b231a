import { eventSource } from '../../../schema/events/cloud-event.ts';
import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import { encodeRequestSettled } from '../../../schema/events/request-settled-serializer.ts';
import { BATCHES } from '../../../schema/http/batches.ts';
import { idFromUuid, mintUuid } from '../../../schema/values/ids.ts';
import { budgetGroupKey } from '../../registry/catalog/match-budgets.ts';
import type { OrganizationBudgets } from '../budgets/compiled-budgets.ts';
import { matchingBudgets } from '../budgets/compiled-budgets.ts';
import { costOf } from '../budgets/hold-costs.ts';
import type { Ending, SettledCost, Writer } from '../settlement/settle.ts';
import { settle } from '../settlement/settle.ts';
import type { BatchCharge } from './batch-records.ts';
import type { BatchSum } from './batch-sums.ts';
import type { BatchTerms } from './batch-terms.ts';

/** What the charges of a batch are made with. */
export interface ChargingContext {
  /** As the provider names it. */
  readonly batchId: string;
  readonly terms: BatchTerms;
  /** Of its organization; undefined: it has none. */
  readonly budgets: OrganizationBudgets | undefined;
  readonly writer: Writer;
  readonly nowMs: number;
  readonly entropy: (bytes: number) => Buffer;
}

const ID_ENTROPY_BYTES = 10;
const OK = 200;

/** The event that charges for a sum, with an id of its own. Made once: it is kept, and handed over as often as it takes. */
export function chargeFor(sum: BatchSum, context: ChargingContext): BatchCharge {
  const { terms, writer, nowMs } = context;
  const entryId = mintUuid(nowMs, context.entropy(ID_ENTROPY_BYTES));
  const ending = endingOf(sum, context);
  const request = {
    requestId: idFromUuid('request', entryId),
    key: terms.key,
    endpoint: BATCHES,
    admittedAtMs: nowMs,
    tags: terms.tags,
    subjectCommitment: null,
    sdkRetryCount: null,
    modelRequested: terms.modelRequested,
    model: terms.model,
    provider: terms.provider,
    routeId: terms.routeId,
    stream: false,
    decisionReason: 'batch',
    candidates: [terms.model],
  };
  const counted = countedBy(ending, context);
  const event: RequestSettled = { ...settle(request, ending, writer, [], { counted, wouldRefuse: [] }), batch: true };
  const source = eventSource(writer.node, writer.epoch);
  const record = encodeRequestSettled(event, { source, partition: terms.key.partition, timeMs: nowMs, subject: null });
  return { entryId, occurredAtMs: nowMs, record };
}

function endingOf({ modelAnswered, usage, units, serviceTier, flags, cost }: BatchSum, { batchId, terms }: ChargingContext): Ending {
  const settled: SettledCost =
    cost.kind === 'rated'
      ? { kind: 'rated', costPico: cost.cost, priceVersion: cost.priceVersion }
      : { kind: 'unrated', reason: cost.reason };
  const attempt = { provider: terms.provider, upstreamModel: terms.upstreamModel, startMs: 0, durationMs: 0, status: OK, errorCode: null };
  return {
    outcome: 'succeeded',
    status: OK,
    errorCode: null,
    finishReason: null,
    modelAnswered,
    // By the provider's name of it the batch is found again.
    attempts: [{ ...attempt, outcome: 'succeeded', providerRequestId: batchId }],
    usage,
    units,
    rawUsage: null,
    usageFlags: flags,
    serviceTier,
    cost: settled,
    firstByteMs: null,
    totalMs: 0,
    overheadMs: null,
  };
}

/**
 * What it used of budgets, whatever they do about it: none of them held anything for it. One that enforces is among them only where it came after the
 * batch was made, and is then told of what was spent all the same. It is not a request: that was the one which made it.
 */
function countedBy(ending: Ending, { terms, budgets }: ChargingContext): NonNullable<RequestSettled['counted']> {
  const { key, model, provider, routeId, tags } = terms;
  const { teamId, userId, serviceAccountId } = key;
  const subject = { teamId, userId, serviceAccountId, apiKeyId: key.id, endUser: null, aliasOf: () => '', model, provider, routeId, tags };
  const indexes = [budgets?.counting ?? null, budgets?.holding ?? null].filter((index) => index !== null);
  return indexes
    .flatMap((index) => matchingBudgets(index, key, subject))
    .filter(({ kind }) => kind === 'budget')
    .flatMap((budget) =>
      budget.limits.flatMap(({ id: limit, unit }) => {
        const cost = unit === 'requests' ? null : costOf({ unit, budget }, ending);
        return cost === null || cost === 0n ? [] : [{ limit, group: budgetGroupKey(budget.groupBy, subject), cost: cost.toString() }];
      }),
    );
}
