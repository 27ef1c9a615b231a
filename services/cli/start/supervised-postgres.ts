import type { Clock } from '../../runtime/clock.ts';
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from '../../runtime/embedded-postgres.ts';
import { PlainFailure } from '../../runtime/start-refusal.ts';
import { restartVerdict } from './restart-policy.ts';

export type SupervisedPostgresOptions = EmbeddedPostgresOptions & {
  readonly clock: Clock;
  readonly onNotice: (line: string) => void;
  readonly onGiveUp: (error: Error) => void;
};

/** What the supervisor asks of the database server it runs. */
export type SupervisedPostgres = {
  readonly url: EmbeddedPostgres['url'];
  readonly stop: () => Promise<void>;
};

/** Runs PostgreSQL and keeps it running, by the same policy as the children: it comes back at the same address. */
export async function startSupervisedPostgres(options: SupervisedPostgresOptions): Promise<SupervisedPostgres> {
  let deathsMs: readonly number[] = [];
  let stopping = false;
  let server = await startEmbeddedPostgres(options);
  let restart: Promise<void> = Promise.resolve();

  const keepRunning = async (): Promise<void> => {
    const how = await server.ended;
    if (stopping) return;
    deathsMs = [...deathsMs, options.clock.monotonic()].slice(-20);
    const verdict = restartVerdict(deathsMs);
    if (verdict.kind === 'stop-everything') {
      throw new PlainFailure(
        `PostgreSQL ended (${how}) for the third time within a minute, so everything stops. Its log: ${server.logPath}`,
      );
    }
    options.onNotice(`PostgreSQL ended (${how}); it starts again in ${verdict.afterMs / 1_000} s. Its log: ${server.logPath}`);
    await new Promise((resolve) => setTimeout(resolve, verdict.afterMs));
    if (stopping) return;
    restart = startEmbeddedPostgres({ ...options, onProgress: () => {} }).then((next) => {
      server = next;
    });
    await restart;
    if (stopping) return;
    options.onNotice('PostgreSQL is back');
    await keepRunning();
  };
  keepRunning().catch(options.onGiveUp);

  return {
    url: server.url,
    stop: async () => {
      stopping = true;
      await restart.catch(() => {});
      await server.stop();
    },
  };
}
