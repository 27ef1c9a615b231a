import { randomBytes } from 'node:crypto';
import { mintUuid } from '../../../../../schema/values/ids.ts';
import { systemTimers } from '../../../../../services/eventlog/timers.ts';
import type { RollupGrain } from '../../../../../services/ledger/rollups.ts';
import { priceVersion } from '../../../../../services/pricing/price-sheet.ts';
import { systemClock } from '../../../../../services/runtime/clock.ts';
import { createSimulatedPostgres } from '../../../../simulation/store/simulated-postgres.ts';
import { connectSimulatedStores } from '../../../../simulation/store/simulated-stores.ts';
import { noFaults } from '../../../../simulation/store/store-faults.ts';
import { testSheet } from '../../settled-records.ts';
import type { Committed, StoreWorld } from './store-world.ts';
import { poison } from './store-world.ts';

/** The suite's world on the twin, in real time and without latency. */
export async function createSimulatedWorld(): Promise<StoreWorld> {
  const losing = new Set<string>();
  const server = createSimulatedPostgres({
    clock: systemClock,
    timers: systemTimers,
    faults: (statement, client) =>
      losing.delete(client) ? { latencyMs: 0, answerMs: 0, fault: 'answer_lost' } : noFaults(statement, client),
    constraints: [{ name: poison.constraint, holds: ({ error_code }) => error_code !== poison.errorCode }],
  });
  const { books } = server;
  let processes = 0;

  const sums = (grain: RollupGrain): Committed['rollups']['minute'] => {
    const rows = [...books.rollups[grain].values()];
    const inputs = rows.flatMap(({ tokens }) => tokens[0] ?? []);
    return {
      rows: rows.length,
      requests: BigInt(rows.reduce((sum, row) => sum + row.requests, 0)),
      cost: rows.reduce((sum, row) => sum + row.cost, 0n),
      input: inputs.length === 0 ? null : inputs.reduce((sum, input) => sum + input, 0n),
    };
  };

  return {
    connect: async () => {
      const client = `process ${++processes}`;
      const { ledgerStore, sequencerStore, journalFeed } = connectSimulatedStores({ server, client, timers: systemTimers });
      return {
        ledger: ledgerStore,
        sequencer: sequencerStore,
        feed: journalFeed,
        loseNextAnswer: () => void losing.add(client),
        endConnections: async () => server.endSessions(client),
      };
    },
    addTestPrice: async () => void books.priceSheets.set(priceVersion(testSheet), testSheet),
    activateTags: async (organizationId, tagKeys) => void books.activatedTags.set(organizationId, [...tagKeys]),
    addAudit: async (organizationId, action) => {
      const id = mintUuid(Date.now(), randomBytes(10));
      server.addAudit({ id, organizationId, occurredAt: new Date(), action, targets: [{ type: 'team', id: 'team_1' }] });
      return id;
    },
    blocked: async () => server.blocked,
    look: async () => ({
      entries: [...books.entries.values()]
        .map(({ entry }) => ({
          id: entry.entry_id,
          partition: entry.log_partition ?? -1,
          offset: entry.log_offset ?? -1n,
          hash: entry.body_hash.toString('hex'),
        }))
        .sort(byPlace),
      deadLetters: [...books.deadLetters.values()]
        .map(({ partition, offset, reason, detail }) => ({ partition, offset, reason, detail }))
        .sort(byPlace),
      subjects: [...books.subjects.keys()].sort(),
      offsets: [...books.offsets]
        .map(([key, { owner, epoch, nextOffset }]) => ({ partition: Number(key.split('/').at(-1)), owner, epoch, nextOffset }))
        .sort((left, right) => left.partition - right.partition),
      rollups: { minute: sums('minute'), hour: sums('hour'), day: sums('day') },
      waiting: books.waiting.size,
      journal: [...books.journals]
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .flatMap(([, items]) => items.map(({ organizationId, position, id, kind }) => ({ organizationId, position, id, kind }))),
    }),
    close: async () => server.stop(),
  };
}

type Place = { readonly partition: number; readonly offset: bigint };

function byPlace(left: Place, right: Place): number {
  return left.partition - right.partition || (left.offset < right.offset ? -1 : 1);
}
