import type { Outcome } from '../../schema/events/request-settled.v1.ts';
import type { SpoolWitness } from './checker/spool-witness.ts';
import type { Verdict } from './checker/verdict.ts';

/** What the books must say of a request that was settled, worked out from what the provider did and from nothing of the product. */
export interface ExpectedEntry {
  readonly outcome: Outcome;
  readonly inputTokens: bigint | null;
  readonly outputTokens: bigint | null;
  /** Pico-USD; null = nobody can say. */
  readonly cost: bigint | null;
}

/** One request as it really went. */
export interface TrueRequest {
  readonly requestId: string;
  /** uuid of the same. */
  readonly uuid: string;
  readonly machine: string;
  readonly organizationUuid: string;
  readonly keyUuid: string;
  /** What it holds of budgets, by the mirror's counters, and what the provider bills of each. */
  held: readonly { readonly counter: string; readonly hold: bigint; readonly bill: bigint }[];
  /** A provider was called for it: from here on it has to be accounted for. */
  called: boolean;
  /** Set when the proxy knows how it ended and hands that to its books. */
  ending: ExpectedEntry | null;
  /** The last byte went to the application. */
  answered: boolean;
  /** The event log acknowledged its event. */
  acknowledged: boolean;
  /** A death left only its opening record: it has to end as an orphan. */
  orphaned: boolean;
  /** A power cut took every trace of it, within what is promised. */
  lost: boolean;
  /** The disk claimed a sync of its records that it had not done, and lost power: nothing is promised. */
  lied: boolean;
}

export interface DeathOfProxy {
  readonly machine: string;
  readonly how: 'kill' | 'power cut';
  readonly durability: 'group' | 'strict';
  readonly survivors: { readonly open: ReadonlySet<string>; readonly closed: ReadonlySet<string> };
  readonly witness: Pick<SpoolWitness, 'wasLiedTo' | 'isOpenedDurably' | 'isClosedDurably'>;
}

/** The truth about every request, kept apart from the product. */
export interface Model {
  readonly requests: ReadonlyMap<string, TrueRequest>;
  admit(request: Pick<TrueRequest, 'requestId' | 'uuid' | 'machine' | 'organizationUuid' | 'keyUuid'>): TrueRequest;
  /** The books refused it, and nothing was done. */
  refuse(requestId: string): void;
  acknowledge(requestIds: Iterable<string>): void;
  /** A breach when more is gone than this death may take. */
  death(death: DeathOfProxy): void;
}

export function createModel(verdict: Verdict): Model {
  const requests = new Map<string, TrueRequest>();
  /** By machine, those whose records are still the spool's to keep. */
  const inSpool = new Map<string, Set<TrueRequest>>();

  return {
    requests,
    admit(request) {
      const admitted: TrueRequest = {
        ...request,
        held: [],
        called: false,
        ending: null,
        answered: false,
        acknowledged: false,
        orphaned: false,
        lost: false,
        lied: false,
      };
      requests.set(request.requestId, admitted);
      const kept = inSpool.get(request.machine) ?? new Set();
      inSpool.set(request.machine, kept.add(admitted));
      return admitted;
    },
    refuse(requestId) {
      const request = requests.get(requestId);
      if (request === undefined) return;
      requests.delete(requestId);
      inSpool.get(request.machine)?.delete(request);
    },
    acknowledge(requestIds) {
      for (const requestId of requestIds) {
        const request = requests.get(requestId);
        if (request === undefined) continue;
        request.acknowledged = true;
        inSpool.get(request.machine)?.delete(request);
      }
    },
    death({ machine, how, durability, survivors, witness }) {
      for (const request of [...(inSpool.get(machine) ?? [])]) {
        const { requestId } = request;
        if (survivors.closed.has(requestId)) continue;
        const lied = how === 'power cut' && witness.wasLiedTo(requestId);
        request.lied ||= lied;
        if (!lied && witness.isClosedDurably(requestId))
          verdict.breach('what is durable stays', `${requestId}: a ${how} took its settlement, which was synced and not acknowledged`);
        const young = how === 'power cut' && durability === 'group';
        if (survivors.open.has(requestId)) {
          // What one death was allowed to take, the next one finds gone.
          if (request.answered && !request.orphaned && !lied && !young)
            verdict.breach(
              'settlement durable before the last byte',
              `${requestId} was answered, and a ${how} left only its opening record`,
            );
          request.orphaned = true;
        } else if (request.called || request.answered) {
          // Only what was never synced may be lost, and only where nothing more is promised.
          if (!lied && (!young || witness.isOpenedDurably(requestId)))
            verdict.breach('a call that was made is never lost', `${requestId}: a ${how} left no record of it`);
          request.lost = true;
          inSpool.get(machine)?.delete(request);
        }
      }
    },
  };
}
