import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { mintUuid } from '../../../../../schema/values/ids.ts';
import { createPostgresJournalFeed } from '../../../../../services/api/live/postgres-journal-feed.ts';
import { ROLLUP_GRAINS } from '../../../../../services/ledger/rollups.ts';
import { createPostgresLedgerStore } from '../../../../../services/ledger/store/postgres/postgres-ledger-store.ts';
import { createPostgresSequencerStore } from '../../../../../services/ledger/store/postgres/postgres-sequencer-store.ts';
import type { DatabaseRole } from '../../../../../services/runtime/postgres.ts';
import { createDatabase } from '../../../../../services/runtime/postgres.ts';
import { startDatabaseLink } from '../../../../harness/database-link.ts';
import { createTestDatabase } from '../../../../harness/postgres.ts';
import { addTestPrice } from '../../settled-records.ts';
import type { Committed, StoreWorld } from './store-world.ts';
import { poison } from './store-world.ts';

/** The suite's world on a real server, each process behind a proxy that can lose its answers. */
export async function createPostgresWorld(): Promise<StoreWorld> {
  const database = await createTestDatabase();
  const { db } = database.owner;
  await database.owner.execute(
    `alter table ledger_entries add constraint ${poison.constraint} check (error_code <> '${poison.errorCode}')`,
  );
  const closing: (() => Promise<void>)[] = [];
  let processes = 0;

  return {
    connect: async () => {
      const applicationName = `turnpike-conformance-${++processes}`;
      const { url, faults: proxy } = await startDatabaseLink(database.url);
      const connect = (role: DatabaseRole, poolSize: number) =>
        createDatabase({ url, role, applicationName, poolSize, statementTimeoutMs: 10_000 });
      const [writer, sequencer, reader] = [connect('writer', 4), connect('writer', 1), connect('reader', 2)];
      closing.push(async () => {
        await Promise.all([writer.close(), sequencer.close(), reader.close()]);
        await proxy.close();
      });
      return {
        ledger: createPostgresLedgerStore(writer),
        sequencer: createPostgresSequencerStore(sequencer.db),
        feed: createPostgresJournalFeed(reader),
        loseNextAnswer: () => {
          const cut = proxy.cuts();
          proxy.cutAfter(0);
          const heal = setInterval(() => {
            if (proxy.cuts() === cut) return;
            proxy.heal();
            clearInterval(heal);
          }, 1);
        },
        endConnections: async () => {
          await sql`select pg_terminate_backend(pid, 5000) from pg_stat_activity
            where application_name = ${applicationName} and datname = current_database()`.execute(db);
        },
      };
    },
    addTestPrice: () => addTestPrice(database.writer.db),
    activateTags: async (organizationId, tagKeys) => {
      await sql`insert into organizations (id, slug, name, created_at, updated_at)
        values (${organizationId}, ${`o-${organizationId}`}, 'Organization', now(), now())`.execute(db);
      for (const tagKey of tagKeys) await sql`insert into activated_tags values (${organizationId}, ${tagKey}, now())`.execute(db);
    },
    addAudit: async (organizationId, action) => {
      const id = mintUuid(Date.now(), randomBytes(10));
      await sql`insert into audit_events (id, organization_id, occurred_at, action, actor, targets, changes, context, body, body_hash)
        values (${id}, ${organizationId}, now(), ${action}, '{}', '[{"type":"team","id":"team_1"}]', '[]', '{}', '\\x', sha256('\\x'))`.execute(
        database.writer.db,
      );
      return id;
    },
    blocked: async () => {
      const { rows } = await sql<{ blocked: bigint }>`select count(*) as blocked from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
      return Number(rows[0]?.blocked);
    },
    look: async () => {
      const all = async <Row>(text: string): Promise<Row[]> => (await sql.raw<Row>(text).execute(db)).rows;
      const sums = async (grain: string) => {
        const [row] = await all<Committed['rollups']['minute'] & { rows: bigint }>(
          `select count(*) as rows, coalesce(sum(requests), 0) as requests, coalesce(sum(cost), 0) as cost, sum(tokens_input) as input from usage_${grain}`,
        );
        return { rows: Number(row?.rows ?? 0n), requests: row?.requests ?? 0n, cost: row?.cost ?? 0n, input: row?.input ?? null };
      };
      const [minute, hour, day] = await Promise.all(ROLLUP_GRAINS.map(sums));
      if (minute === undefined || hour === undefined || day === undefined) throw new Error('a grain is missing');
      return {
        entries: await all(`select entry_id as id, log_partition as partition, log_offset as "offset", encode(body_hash, 'hex') as hash
          from ledger_entries order by log_partition, log_offset`),
        deadLetters: await all('select partition, log_offset as "offset", reason, detail from dead_letters order by partition, log_offset'),
        subjects: (await all<{ id: string }>('select request_id as id from request_subject order by 1')).map(({ id }) => id),
        offsets: await all('select partition, owner, epoch, next_offset as "nextOffset" from log_offsets order by partition'),
        rollups: { minute, hour, day },
        waiting: (await all('select 1 from journal_unsequenced')).length,
        journal: await all(`select organization_id as "organizationId", position, item_id as id, item_kind as kind
          from journal_positions order by organization_id, position`),
      };
    },
    close: async () => {
      await Promise.all(closing.map((close) => close()));
      await database.drop();
    },
  };
}
