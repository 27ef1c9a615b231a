import type { Topic } from '../../../schema/events/topics.ts';
import type { KafkaTopicSettings } from '../../runtime/kafka-environment.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { StartRefusal } from '../../runtime/start-refusal.ts';
import { backoffMs } from '../backoff.ts';
import type { Timers } from '../timers.ts';
import type { KafkaClient } from './kafka-client.ts';
import { ensureTopic } from './topic.ts';

export interface TopicAssuranceOptions {
  readonly client: KafkaClient;
  readonly topic: Topic;
  readonly settings: KafkaTopicSettings;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  /** Told when the topic turns out to be wrong only after the brokers came back: nothing this process does is of use then. */
  onRefused(error: unknown): void;
}

const RETRY = { firstMs: 500, mostMs: 10_000 };
/** Longest that a start waits for brokers: over a broken link one attempt with all its own retries can last for minutes. */
const PATIENCE_MS = 10_000;

/**
 * Makes sure of the topic; where the brokers are away, or do not answer within ten seconds, it resolves all the same and goes on
 * trying, because a proxy must serve without them, and a ledger may be started before them.
 * @returns what ends the trying.
 * @throws StartRefusal as `ensureTopic` does, where the brokers answer in time.
 */
export async function assureTopic(options: TopicAssuranceOptions): Promise<() => void> {
  const { client, topic, settings, timers, log } = options;
  let cancel: () => void = () => {};
  let stopped = false;

  async function attempt(number: number): Promise<void> {
    try {
      await ensureTopic(client, topic, settings);
    } catch (error) {
      if (error instanceof StartRefusal) throw error;
      if (stopped) return;
      const delayMs = backoffMs(number, RETRY, options.random);
      log.warn({ error, delayMs }, `the topic ${topic.name} is not made sure of yet, trying again`);
      cancel = timers.after(delayMs, () => {
        attempt(number + 1).catch(refuseLate);
      });
    }
  }

  function refuseLate(refusal: unknown): void {
    if (!stopped) options.onRefused(refusal);
  }

  const first = attempt(1);
  let endPatience: () => void = () => {};
  const patience = new Promise<'over'>((resolve) => {
    endPatience = timers.after(PATIENCE_MS, () => resolve('over'));
  });
  if ((await Promise.race([first, patience])) === 'over') {
    log.warn(`the brokers have not answered for ${PATIENCE_MS / 1_000} s: starting without being sure of the topic ${topic.name}`);
    first.catch(refuseLate);
  }
  endPatience();
  return () => {
    stopped = true;
    cancel();
  };
}
