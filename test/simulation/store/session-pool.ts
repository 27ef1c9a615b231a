import type { ServerSession } from './server-session.ts';
import type { StoreStatement } from './store-faults.ts';

/**
 * Every call over the wire, `connect`, `begin` and `commit` included, goes through this: where a simulation lets a process die
 * before it is sent or before its answer is heard.
 */
export type Wire = <Result>(statement: StoreStatement, act: () => Promise<Result>) => Promise<Result>;

/** Opens sessions as they are needed, keeps those that are good, and forgets those that broke. */
export interface SessionPool {
  readonly wire: Wire;
  use<Result>(work: (session: ServerSession) => Promise<Result>): Promise<Result>;
}

/** @param options.opened holds the sessions that are open, also while they are being opened. */
export function createSessionPool(options: {
  readonly wire: Wire;
  readonly open: () => ServerSession;
  readonly opened: Set<ServerSession>;
}): SessionPool {
  const { wire, open, opened } = options;
  let idle: ServerSession[] = [];
  const connect = (): Promise<ServerSession> =>
    wire('connect', async () => {
      const session = open();
      opened.add(session);
      await session.run('connect', () => {});
      return session;
    });
  return {
    wire,
    use: async (work) => {
      idle = idle.filter((session) => session.connected);
      const session = idle.pop() ?? (await connect());
      try {
        return await work(session);
      } finally {
        if (session.connected) idle.push(session);
        else opened.delete(session);
      }
    },
  };
}
