import type { EventLogConsumer, SubscribeOptions } from '../event-log.ts';
import type { Timers } from '../timers.ts';
import { systemTimers } from '../timers.ts';
import type { EmbeddedLogServer } from './server.ts';
import type { Member } from './subscription.ts';
import { createMember } from './subscription.ts';

export interface EmbeddedConsumerOptions {
  readonly server: EmbeddedLogServer;
  /** Wait before a partition whose batch failed is assigned again. Default 1 s. */
  readonly retryDelayMs?: number;
  readonly timers?: Timers;
}

/**
 * A consumer in the process that serves the log. Subscriptions of one group share the partitions in turn; whenever one joins or
 * leaves, each partition that changes hands is revoked from the one and assigned to the other at once. A batch under way then
 * still runs: the caller's epoch is what keeps it from writing, as with any log.
 */
export function createEmbeddedConsumer(options: EmbeddedConsumerOptions): EventLogConsumer {
  const { server } = options;
  const groups = new Map<string, Member[]>();

  function rebalance(members: readonly Member[], partitions: number): void {
    const owners = Array.from({ length: partitions }, (_, partition) => members[partition % Math.max(1, members.length)]);
    // Revoked everywhere before assigned anywhere: no partition has two owners.
    for (const member of members) member.keepOnly((partition) => owners[partition] === member);
    for (const [partition, member] of owners.entries()) member?.assign(partition);
  }

  async function subscribe(subscription: SubscribeOptions) {
    const { topic } = subscription;
    const name = JSON.stringify([topic.name, subscription.group]);
    const members = groups.get(name) ?? [];
    groups.set(name, members);
    const member = createMember({
      journal: server.journal(topic),
      subscription,
      retryDelayMs: options.retryDelayMs ?? 1_000,
      timers: options.timers ?? systemTimers,
    });
    members.push(member);
    rebalance(members, topic.partitions);
    return {
      pause: member.pause,
      resume: member.resume,
      async stop() {
        const at = members.indexOf(member);
        if (at !== -1) members.splice(at, 1);
        // Batches under way end first, so that the next owner starts behind them.
        await member.stop();
        rebalance(members, topic.partitions);
      },
    };
  }

  return {
    subscribe,
    async offsets(topic) {
      const journal = server.journal(topic);
      return new Map(Array.from({ length: topic.partitions }, (_, partition) => [partition, journal.offsets(partition)]));
    },
    async close() {
      const all = [...groups.values()].flat();
      groups.clear();
      await Promise.all(all.map((member) => member.stop()));
    },
  };
}
