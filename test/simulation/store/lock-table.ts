import { databaseError } from './database-errors.ts';

/** Whoever holds locks: a transaction. */
export type LockOwner = object;

type Waiter = { readonly owner: LockOwner; readonly key: string; readonly take: () => void; readonly refuse: (error: Error) => void };

/** Exclusive locks of rows, first come, first served, held until the end of the transaction. */
export interface LockTable {
  /**
   * Takes a lock: at once, without a promise, where it is free or held by the owner already.
   * @throws 40P01 where waiting would close a circle of owners that wait for each other.
   */
  acquire(owner: LockOwner, key: string): Promise<void> | undefined;
  /** Ends the owner's waiting, if it waits, with this error. */
  interrupt(owner: LockOwner, error: Error): void;
  releaseAll(owner: LockOwner): void;
  /** How many owners wait. */
  readonly blocked: number;
}

export function createLockTable(): LockTable {
  const holders = new Map<string, LockOwner>();
  const held = new Map<LockOwner, Set<string>>();
  const queues = new Map<string, Waiter[]>();
  const waiting = new Map<LockOwner, Waiter>();

  const give = (owner: LockOwner, key: string): void => {
    holders.set(key, owner);
    const keys = held.get(owner);
    if (keys === undefined) held.set(owner, new Set([key]));
    else keys.add(key);
  };

  /** Whoever stands before an owner in a queue is waited for as well. */
  const closesCircle = (owner: LockOwner, key: string): boolean => {
    const seen = new Set<LockOwner>();
    const blockers = [holders.get(key), ...(queues.get(key) ?? []).map((waiter) => waiter.owner)];
    for (let one = blockers.pop(); one !== undefined || blockers.length > 0; one = blockers.pop()) {
      if (one === owner) return true;
      if (one === undefined || seen.has(one)) continue;
      seen.add(one);
      const next = waiting.get(one);
      if (next !== undefined) blockers.push(holders.get(next.key));
    }
    return false;
  };

  const leaveQueue = (waiter: Waiter): void => {
    waiting.delete(waiter.owner);
    const queue = (queues.get(waiter.key) ?? []).filter((other) => other !== waiter);
    if (queue.length === 0) queues.delete(waiter.key);
    else queues.set(waiter.key, queue);
  };

  return {
    get blocked() {
      return waiting.size;
    },
    acquire: (owner, key) => {
      const holder = holders.get(key);
      if (holder === owner) return undefined;
      if (holder === undefined) {
        give(owner, key);
        return undefined;
      }
      if (closesCircle(owner, key)) throw databaseError('40P01', 'deadlock detected');
      return new Promise((take, refuse) => {
        const waiter: Waiter = { owner, key, take, refuse };
        waiting.set(owner, waiter);
        queues.set(key, [...(queues.get(key) ?? []), waiter]);
      });
    },
    interrupt: (owner, error) => {
      const waiter = waiting.get(owner);
      if (waiter === undefined) return;
      leaveQueue(waiter);
      waiter.refuse(error);
    },
    releaseAll: (owner) => {
      const keys = held.get(owner) ?? [];
      held.delete(owner);
      for (const key of keys) {
        holders.delete(key);
        const next = queues.get(key)?.[0];
        if (next === undefined) continue;
        leaveQueue(next);
        give(next.owner, key);
        next.take();
      }
    },
  };
}
