import type { EachBatchHandler, EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { StoredRecord } from '../../../schema/events/log-record.ts';
import type { KafkaConsumer } from '../../../services/eventlog/kafka/kafka-client.ts';
import { pause } from '../../../services/eventlog/timers.ts';
import { brokerError } from './kafka-cluster.ts';
import type { SimulatedKafkaOptions } from './simulated-kafka-options.ts';

/** One partition as the client fetches it. `token` changes whenever a fetch under way is to be dropped. */
type Fetching = { position: bigint; paused: boolean; busy: boolean; token: number };

const HEARTBEAT_MS = 1_000;
/** A fetch that finds nothing waits at the broker for this long. */
const LONG_POLL_MS = 5_000;
const RETRY_MS = 100;
const MAX_FETCH_RECORDS = 400;
const FAILURES_UNTIL_CRASH = 5;

const events: KafkaConsumer['events'] = {
  HEARTBEAT: 'consumer.heartbeat',
  COMMIT_OFFSETS: 'consumer.commit_offsets',
  GROUP_JOIN: 'consumer.group_join',
  FETCH_START: 'consumer.fetch_start',
  FETCH: 'consumer.fetch',
  START_BATCH_PROCESS: 'consumer.start_batch_process',
  END_BATCH_PROCESS: 'consumer.end_batch_process',
  CONNECT: 'consumer.connect',
  DISCONNECT: 'consumer.disconnect',
  STOP: 'consumer.stop',
  CRASH: 'consumer.crash',
  REBALANCING: 'consumer.rebalancing',
  RECEIVED_UNSUBSCRIBED_TOPICS: 'consumer.received_unsubscribed_topics',
  REQUEST: 'consumer.network.request',
  REQUEST_TIMEOUT: 'consumer.network.request_timeout',
  REQUEST_QUEUE_SIZE: 'consumer.network.request_queue_size',
};

/**
 * kafkajs' consumer as far as the product uses it: joins, fetches each partition apart from the others, hands batches over one
 * at a time a partition, goes back after a seek, and crashes when the brokers are away for long.
 */
export function createSimulatedConsumer({ cluster, group, network, life, machine, counts }: SimulatedKafkaOptions): KafkaConsumer {
  const { timers } = life;
  const { topic } = cluster;
  const listeners: { readonly name: string; readonly listener: (event: never) => void }[] = [];
  const fetching = new Map<number, Fetching>();
  let eachBatch: EachBatchHandler = async () => {};
  let memberId = '';
  let joined: () => void = () => {};
  let evicted = false;
  let ended = false;
  let failures = 0;

  function emit(name: string, payload: unknown): void {
    for (const known of listeners)
      if (known.name === name) Reflect.apply(known.listener, undefined, [{ id: '', type: name, timestamp: 0, payload }]);
  }

  function crash(error: unknown): void {
    if (ended) return;
    end();
    counts.add('broker: consumer crashed');
    emit(events.CRASH, { error, groupId: '', restart: false });
  }

  function end(): void {
    ended = true;
    group.leave(memberId);
    for (const state of fetching.values()) state.token += 1;
    fetching.clear();
  }

  function join(): void {
    evicted = false;
    memberId = group.nextId(life.name);
    const mine = memberId;
    group.join({
      id: mine,
      beats: () => life.alive && !life.frozen && !network.cutOff.has(machine),
      onRebalancing: () => mine === memberId && !ended && emit(events.REBALANCING, { groupId: '', memberId }),
      onAssigned: (partitions) => {
        if (mine !== memberId || ended || !life.alive) return;
        counts.add('broker: partitions assigned');
        for (const state of fetching.values()) state.token += 1;
        fetching.clear();
        for (const partition of partitions) fetching.set(partition, { position: 0n, paused: false, busy: false, token: 0 });
        emit(events.GROUP_JOIN, { memberId, memberAssignment: { [topic.name]: [...partitions] } });
        for (const partition of partitions) fetchSoon(partition, 0);
        joined();
      },
      onEvicted: () => {
        if (mine === memberId) evicted = true;
      },
    });
  }

  function beat(): void {
    if (ended) return;
    if (network.cutOff.has(machine) || !someBrokerUp()) failures += 1;
    else failures = 0;
    if (failures >= FAILURES_UNTIL_CRASH) {
      crash(brokerError('BROKER_NOT_AVAILABLE'));
      return;
    }
    if (evicted && failures === 0) {
      emit(events.REBALANCING, { groupId: '', memberId });
      join();
    }
    timers.after(HEARTBEAT_MS, beat);
  }

  function someBrokerUp(): boolean {
    return Array.from({ length: cluster.brokers }, (_, broker) => broker).some(cluster.isUp);
  }

  function fetchSoon(partition: number, delayMs: number): void {
    const state = fetching.get(partition);
    if (state === undefined) return;
    const { token } = state;
    timers.after(delayMs, () => {
      if (state.token === token && !state.paused && !state.busy && !ended) void fetch(partition, state);
    });
  }

  async function fetch(partition: number, state: Fetching): Promise<void> {
    state.busy = true;
    const { token, position } = state;
    emit(events.FETCH_START, { nodeId: 0 });
    try {
      const { records, end } = await life.call('kafka.fetch', () =>
        network.exchange(machine, `${life.name} fetch ${partition}`, () => {
          if (cluster.leaderOf(partition) === null) throw brokerError('NOT_LEADER_FOR_PARTITION');
          return cluster.read(partition, position, MAX_FETCH_RECORDS);
        }),
      );
      // A seek, a pause or another generation came meanwhile: what was fetched is dropped.
      if (state.token === token && !state.paused && !ended && end > position) {
        state.position = end;
        await hand(partition, position, records, end);
      } else if (state.token === token && end <= position) {
        state.busy = false;
        waitForMore(partition, state);
        return;
      }
    } catch {
      // kafkajs asks again, of another broker if need be.
      if (state.token === token) await pause(timers, RETRY_MS);
    }
    state.busy = false;
    if (fetching.get(partition) === state) fetchSoon(partition, 0);
  }

  function waitForMore(partition: number, state: Fetching): void {
    const again = (): void => {
      cancelWaiting();
      cancelPoll();
      if (fetching.get(partition) === state) fetchSoon(partition, 0);
    };
    const cancelWaiting = cluster.whenAppended(partition, again);
    const cancelPoll = timers.after(LONG_POLL_MS, again);
  }

  async function hand(partition: number, from: bigint, records: readonly StoredRecord[], end: bigint): Promise<void> {
    emit(events.START_BATCH_PROCESS, {
      partition,
      batchSize: records.length,
      firstOffset: from.toString(),
      lastOffset: (end - 1n).toString(),
    });
    if (records.length > 0) await eachBatch(payloadOf(topic.name, partition, from, records, end, cluster.next(partition)));
  }

  /** A refusal that the product expects of kafkajs while it is between two lives. */
  function requireRunning(): void {
    if (!ended) return;
    throw Object.assign(new Error('the consumer does not run'), { name: 'KafkaJSNonRetriableError' });
  }

  const on: KafkaConsumer['on'] = (name: string, listener: (event: never) => void) => {
    listeners.push({ name, listener });
    return () => {};
  };
  return {
    events,
    on,
    connect: () =>
      life.call('kafka.connect', () =>
        network.exchange(machine, `${life.name} connect`, () => {
          if (!someBrokerUp()) throw brokerError('BROKER_NOT_AVAILABLE');
        }),
      ),
    subscribe: async () => {},
    run: async (config) => {
      eachBatch = config?.eachBatch ?? eachBatch;
      try {
        await life.call('kafka.join', () => network.exchange(machine, `${life.name} join`, () => {}));
      } catch (error) {
        // kafkajs tells of it as of any other crash, and resolves.
        crash(error);
        return;
      }
      const running = new Promise<void>((resolve) => {
        joined = resolve;
      });
      join();
      timers.after(HEARTBEAT_MS, beat);
      await running;
    },
    disconnect: () => life.call('kafka.leave', async () => end()),
    commitOffsets: () => life.call('kafka.commit', () => network.exchange(machine, `${life.name} commit`, () => {})),
    seek: ({ partition, offset }) => {
      requireRunning();
      const state = fetching.get(partition);
      if (state === undefined) return;
      state.token += 1;
      state.position = BigInt(offset);
      if (!state.paused) fetchSoon(partition, 0);
    },
    pause: (topics) => {
      requireRunning();
      for (const partition of topics.flatMap(({ partitions }) => partitions ?? [])) {
        const state = fetching.get(partition);
        if (state !== undefined) state.paused = true;
      }
    },
    resume: (topics) => {
      requireRunning();
      for (const partition of topics.flatMap(({ partitions }) => partitions ?? [])) {
        const state = fetching.get(partition);
        if (state === undefined) continue;
        state.paused = false;
        fetchSoon(partition, 0);
      }
    },
  };
}

function payloadOf(
  topic: string,
  partition: number,
  from: bigint,
  records: readonly StoredRecord[],
  end: bigint,
  highWater: bigint,
): EachBatchPayload {
  const batch = {
    topic,
    partition,
    /** Not declared by kafkajs, and there all the same. */
    fetchedOffset: from.toString(),
    highWatermark: highWater.toString(),
    messages: records.map(messageOf),
    isEmpty: () => records.length === 0,
    firstOffset: () => records[0]?.offset.toString() ?? null,
    lastOffset: () => (end - 1n).toString(),
    offsetLag: () => (highWater - end).toString(),
    offsetLagLow: () => '0',
  };
  return {
    batch,
    resolveOffset: () => {},
    heartbeat: async () => {},
    pause: () => () => {},
    commitOffsetsIfNecessary: async () => {},
    uncommittedOffsets: () => ({ topics: [] }),
    isRunning: () => true,
    isStale: () => false,
  };
}

function messageOf({ key, headers, value, offset }: StoredRecord): KafkaMessage {
  return {
    key: Buffer.from(key),
    value,
    timestamp: '0',
    attributes: 0,
    offset: offset.toString(),
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
  };
}
