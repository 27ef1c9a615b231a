import { backoffMs } from '../../eventlog/backoff.ts';
import type { Timers } from '../../eventlog/timers.ts';
import { pause } from '../../eventlog/timers.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { HeldBytes } from '../held-bytes.ts';
import type { AnswerSeals, KeptAnswer } from './answer-seals.ts';
import type { ClaimEnding, KeyedRequests, NotKept, WantedKey } from './keyed-requests.ts';

/** How a request under a key ended here. */
export type RequestEnding =
  | { readonly kind: 'released' }
  | { readonly kind: 'not_kept'; readonly cause: NotKept }
  /** Its bytes count in the room until the database has them. */
  | { readonly kind: 'answered'; readonly answer: KeptAnswer };

export interface ClaimEndingsOptions {
  readonly requests: Pick<KeyedRequests, 'end'>;
  readonly seals: Pick<AnswerSeals, 'seal'>;
  readonly maxSealedBytes: number;
  /** Counts the answers held. */
  readonly room: HeldBytes;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
}

/** Tells the database how claims ended, after the application has its answer, and for as long as it takes. */
export interface ClaimEndings {
  /** @param delayMs after which it is told at the earliest; no claim of its key waits for what is told with a delay. */
  end(claimed: WantedKey, ending: RequestEnding, delayMs?: number): void;
  /** Settles once the database knows what is to be told of a key; null = it knows. */
  underWay(keyHash: Buffer): Promise<void> | null;
  /** How many it does not know yet. */
  size(): number;
  /** Tells what is left, at most until the deadline. @returns how many stay untold: their keys are refused from then on, until their day ends. */
  stop(deadlineMs: number): Promise<number>;
}

interface Told {
  readonly claimed: WantedKey;
  ending: ClaimEnding;
  readonly heldBytes: number;
  readonly onTold: () => void;
}

/** Beside the claims, which applications wait for. */
const WRITERS = 2;
const RETRY = { firstMs: 100, mostMs: 5_000 };

/** At most {@link WRITERS} at once, in turn; who fails goes to the end of the line, so that none holds up the others. */
export function createClaimEndings(options: ClaimEndingsOptions): ClaimEndings {
  const { requests, seals, maxSealedBytes, room, timers, random, log } = options;
  const queue: Told[] = [];
  const untold = new Set<Promise<void>>();
  const untoldOf = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  let writing = 0;
  let failures = 0;
  let ended = false;

  const tell = async (told: Told): Promise<void> => {
    try {
      await requests.end(told.claimed, told.ending);
      failures = 0;
      room.remove(told.heldBytes);
      told.onTold();
    } catch (error) {
      failures += 1;
      if (failures === 1) log.warn({ error }, 'PostgreSQL cannot be told how requests with an idempotency key ended; trying again');
      queue.push(told);
      await pause(timers, backoffMs(failures, RETRY, random), stopping.signal.aborted ? undefined : stopping.signal);
    }
  };

  const pump = (): void => {
    while (!ended && writing < WRITERS) {
      const told = queue.shift();
      if (told === undefined) return;
      writing += 1;
      void tell(told).finally(() => {
        writing -= 1;
        pump();
      });
    }
  };

  const sealed = async (answer: KeptAnswer, { organization, request }: WantedKey): Promise<ClaimEnding> => {
    try {
      const bytes = await seals.seal(answer, { organization, request });
      return bytes.length > maxSealedBytes ? { kind: 'not_kept', cause: 'too_large' } : { kind: 'kept', sealed: bytes };
    } catch (error) {
      log.error({ error, requestId: request }, 'an answer could not be sealed for its repetitions');
      return { kind: 'not_kept', cause: 'failed' };
    }
  };

  return {
    end: (claimed, ending, delayMs = 0) => {
      const name = claimed.keyHash.toString('base64url');
      const over = new Promise<void>((onTold) => {
        const line = (made: ClaimEnding): void => {
          queue.push({ claimed, ending: made, heldBytes: ending.kind === 'answered' ? ending.answer.body.length : 0, onTold });
          pump();
        };
        if (ending.kind === 'answered') void sealed(ending.answer, claimed).then(line);
        else if (delayMs > 0) void pause(timers, delayMs, stopping.signal).then(() => line(ending));
        else line(ending);
      });
      untold.add(over);
      if (delayMs === 0) untoldOf.set(name, over);
      void over.then(() => {
        untold.delete(over);
        if (untoldOf.get(name) === over) untoldOf.delete(name);
      });
    },
    underWay: (keyHash) => untoldOf.get(keyHash.toString('base64url')) ?? null,
    size: () => untold.size,
    stop: async (deadlineMs) => {
      stopping.abort();
      const deadline = new AbortController();
      const all = Promise.all(untold).then(() => deadline.abort());
      await Promise.race([all, pause(timers, deadlineMs, deadline.signal)]);
      ended = true;
      return untold.size;
    },
  };
}
