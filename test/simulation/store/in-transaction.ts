import type { ServerSession } from './server-session.ts';
import type { SessionPool } from './session-pool.ts';

/** As the product's query builder does it: begin, work, commit; rolled back where any of it fails, and the first error thrown. */
export async function inTransaction<Result>(
  wire: SessionPool['wire'],
  session: ServerSession,
  work: () => Promise<Result>,
): Promise<Result> {
  await wire('begin', session.begin);
  try {
    const result = await work();
    await wire('commit', session.commit);
    return result;
  } catch (error) {
    await wire('rollback', session.rollback).catch(() => {});
    throw error;
  }
}
