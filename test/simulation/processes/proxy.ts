import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import { mintId, uuidFromId } from '../../../schema/values/ids.ts';
import type { Disk } from '../../../services/eventlog/disk.ts';
import type { EventLogProducer } from '../../../services/eventlog/event-log.ts';
import { openSpool } from '../../../services/eventlog/spool/open-spool.ts';
import type { Spool } from '../../../services/eventlog/spool.ts';
import type { TakenHold } from '../../../services/proxy/budgets/budget-holds.ts';
import type { Books } from '../../../services/proxy/settlement/books.ts';
import { createBooks } from '../../../services/proxy/settlement/books.ts';
import type { AdmittedRequest } from '../../../services/proxy/settlement/settle.ts';
import { localEnding } from '../../../services/proxy/settlement/settle.ts';
import type { Log } from '../../../services/runtime/log.ts';
import type { LeaseChecker } from '../checker/lease-checker.ts';
import type { SpoolWitness } from '../checker/spool-witness.ts';
import type { Verdict } from '../checker/verdict.ts';
import type { Dice } from '../dice.ts';
import type { Counts } from '../faults/counts.ts';
import type { SimulatedBudgets } from '../leases/simulated-budgets.ts';
import type { Life } from '../life.ts';
import type { Machine } from '../machine.ts';
import type { Model, TrueRequest } from '../model.ts';
import type { Tenant } from '../tenants.ts';
import type { Leasing, LeasingOptions } from './leasing.ts';
import { openLeasing } from './leasing.ts';
import type { ProviderAnswer } from './provider.ts';
import { answerOfProvider } from './provider.ts';

export const SPOOL_DIRECTORY = '/spool';

export interface ProxyOptions {
  readonly life: Life;
  readonly machine: Machine;
  readonly disk: Disk;
  readonly producer: EventLogProducer;
  readonly durability: 'group' | 'strict';
  readonly spoolBounds: { readonly maxBytes: number; readonly maxOpen: number; readonly segmentBytes: number };
  readonly witness: SpoolWitness;
  readonly model: Model;
  readonly verdict: Verdict;
  readonly tenants: readonly Tenant[];
  /** Null where nobody has a budget. */
  readonly budgets:
    | (Pick<LeasingOptions, 'database' | 'soleMachine'> & {
        readonly plan: SimulatedBudgets;
        readonly checker: LeaseChecker;
        readonly counterName: (uuid: string) => string;
      })
    | null;
  readonly dice: Dice;
  readonly counts: Counts;
  readonly log: Log;
}

/** A proxy: its real settlement, spool and sender, with requests in place of everything in front of them. */
export interface ProxyProcess {
  /** Requests whose provider has not ended. */
  readonly inFlight: number;
  readonly unsent: number;
  readonly open: number;
  /** One request from its admission to its last byte. */
  request(slow: boolean): void;
  /** Asks for room for one request of each organization, which a process that was replaced must not find. */
  probe(): void;
  /** Takes nothing more, settles what is under way and leaves. */
  stop(): Promise<void>;
}

/** @throws what the product throws when it cannot start. */
export async function startProxy(options: ProxyOptions): Promise<ProxyProcess> {
  const { life, machine, producer, model, dice, counts, log, witness, verdict, budgets } = options;
  const leasing: Leasing | null = budgets === null ? null : openLeasing({ life, machine, log, durability: options.durability, ...budgets });
  const spool: Spool = await openSpool({
    directory: SPOOL_DIRECTORY,
    durability: options.durability,
    sender: { producer, topic: REQUESTS_TOPIC },
    log,
    ...options.spoolBounds,
    ...(leasing === null ? {} : leasing.spoolOptions),
    disk: options.disk,
    clock: life.clock,
    timers: life.timers,
    random: life.random,
    lock: machine.lock(life),
  });
  const books = createBooks({
    spool,
    node: leasing?.node ?? machine.name,
    clock: life.clock,
    log,
    ...(leasing === null ? {} : { holds: leasing.use(spool) }),
    onSettled: (outcome) => counts.add(`settled: ${outcome}`),
  });
  leasing?.recovered();
  books.settleOrphans();
  leasing?.begin();
  const underWay = new Map<string, () => void>();
  let stopping = false;

  function admit(): { readonly request: AdmittedRequest; readonly truth: TrueRequest } {
    const tenant = dice.pick(options.tenants);
    const requestId = mintId('request', life.clock.now(), dice.bytes(10));
    const truth = model.admit({
      requestId,
      uuid: uuidFromId('request', requestId) ?? '',
      machine: machine.name,
      organizationUuid: tenant.organizationUuid,
      keyUuid: tenant.keyUuid,
    });
    return { request: admitted(requestId, tenant, life.clock.now(), dice.chance(0.5)), truth };
  }

  /** What the application has got now must survive this process. */
  function answer(truth: TrueRequest): void {
    if (!life.alive || life.replaced) return;
    if (!witness.isClosed(truth.requestId))
      verdict.breach('settlement durable before the last byte', `${truth.requestId} was answered and its settlement is not on disk`);
    if (options.durability === 'strict' && !witness.isClosedDurably(truth.requestId) && !witness.wasLiedTo(truth.requestId))
      verdict.breach('settlement durable before the last byte', `${truth.requestId} was answered before the sync, with durability strict`);
    life.pass('last byte');
    truth.answered = true;
    counts.add('requests answered');
  }

  function settle(request: AdmittedRequest, truth: TrueRequest, outcome: ProviderAnswer): void {
    // Nobody reads what a replaced process writes: its successor has the last word on what it had under way.
    if (!underWay.delete(request.requestId) || !life.alive || life.replaced) return;
    truth.ending = outcome.expected;
    life.pass('settle');
    books.close(request, null, outcome.ending, () => answer(truth));
  }

  function call(request: AdmittedRequest, truth: TrueRequest, slow: boolean): void {
    if (!life.alive || life.replaced) return;
    life.pass('call provider');
    truth.called = true;
    counts.add('provider calls');
    const outcome = answerOfProvider(dice, slow);
    if (budgets !== null && request.holds != null && request.holds.length > 0) {
      truth.held = billsOf(request.holds, outcome, budgets.counterName);
      budgets.checker.called(truth);
    }
    underWay.set(request.requestId, () => settle(request, truth, outcome));
    life.timers.after(outcome.durationMs, () => settle(request, truth, outcome));
    if (stopping) settle(request, truth, outcome);
  }

  /** Refused before any provider: an event without an opening record. */
  function reject(books: Books, { request, truth } = admit()): void {
    truth.ending = { outcome: 'rejected', inputTokens: null, outputTokens: null, cost: 0n };
    const ending = localEnding('rejected', 429, 'rate_limited', 0.2);
    if (!books.append(request, null, ending, () => answer(truth))) {
      model.refuse(request.requestId);
      counts.add('requests refused: accounting unavailable');
    }
  }

  /** False where the spool takes nothing more. */
  function dispatch(request: AdmittedRequest, truth: TrueRequest, slow: boolean): boolean {
    const plan = { upstreamModel: 'echo', startMs: 0.5 };
    if (books.open(request, null, plan, () => call(request, truth, slow))) return true;
    model.refuse(request.requestId);
    counts.add('requests refused: accounting unavailable');
    return false;
  }

  return {
    get inFlight() {
      return underWay.size;
    },
    get unsent() {
      return spool.state().unsent;
    },
    get open() {
      return spool.state().open;
    },
    request(slow) {
      if (stopping) return;
      counts.add('requests');
      if (dice.chance(0.06)) {
        reject(books);
        return;
      }
      const { request, truth } = admit();
      const wanted = budgets?.plan.holdsOf(truth.organizationUuid) ?? [];
      if (leasing === null || wanted.length === 0) {
        dispatch(request, truth, slow);
        return;
      }
      leasing.take(request.requestId, wanted, (holds, refusal) => {
        if (!life.alive) return;
        if (holds !== null && !stopping) {
          counts.add('requests within budget');
          if (!dispatch({ ...request, holds }, truth, slow)) leasing.release(request.requestId, holds);
          return;
        }
        if (holds !== null) leasing.release(request.requestId, holds);
        counts.add(`requests refused: ${refusal?.code ?? 'stopping'}`);
        const hold = wanted.find(({ limit }) => limit === refusal?.limit);
        if (refusal?.code === 'insufficient_quota' && hold !== undefined) budgets?.checker.refusedForGood(hold.limit, hold.amount);
        reject(books, { request, truth });
      });
    },
    probe() {
      for (const { organizationUuid } of options.tenants) {
        // Of what has no window that would be over by now.
        const wanted = (budgets?.plan.holdsOf(organizationUuid) ?? []).filter(({ unit }) => unit === 'usd');
        if (leasing === null || wanted.length === 0) continue;
        leasing.take(mintId('request', life.clock.now(), dice.bytes(10)), wanted, (holds) => {
          counts.add('requests to who was replaced');
          if (holds !== null) budgets?.checker.admittedBy(leasing.uuid, spool.state().epoch);
        });
      }
    },
    async stop() {
      stopping = true;
      for (const finish of [...underWay.values()]) finish();
      await leasing?.stop();
      await spool.stop(5_000);
      await producer.close();
    },
  };
}

/** What the provider bills of each counter; where nobody can say, all that is held. */
function billsOf(holds: readonly TakenHold[], outcome: ProviderAnswer, nameOf: (uuid: string) => string): TrueRequest['held'] {
  return holds.map(({ counter, amount, unit }) => {
    const cost = unit === 'requests' ? 1n : (outcome.expected.cost ?? amount);
    return { counter: nameOf(counter), hold: amount, bill: cost };
  });
}

function admitted(requestId: string, tenant: Tenant, nowMs: number, stream: boolean): AdmittedRequest {
  return {
    requestId,
    key: tenant.key,
    endpoint: 'chat.completions',
    admittedAtMs: nowMs,
    tags: {},
    subjectCommitment: null,
    sdkRetryCount: null,
    modelRequested: 'sim/echo',
    model: 'sim/echo',
    provider: 'sim',
    routeId: null,
    stream,
    decisionReason: 'only_candidate',
    candidates: ['sim/echo'],
  };
}
