import type { Dice } from '../dice.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Trace } from '../trace.ts';

/** A member as its coordinator sees it. */
export interface GroupMember {
  readonly id: string;
  /** Whether its heartbeats arrive. */
  readonly beats: () => boolean;
  /** Told that partitions are being shared out anew. */
  readonly onRebalancing: () => void;
  /** Told what is its own from now on. */
  readonly onAssigned: (partitions: readonly number[]) => void;
  /** The coordinator took it for dead, which it learns with its next beat. */
  readonly onEvicted: () => void;
}

/** The coordinator of a consumer group: shares the partitions out among those who beat. It promises nothing about those who do not hear of it. */
export interface KafkaGroup {
  nextId(name: string): string;
  join(member: GroupMember): void;
  leave(id: string): void;
  rebalance(): void;
  readonly members: number;
}

const BEAT_MS = 1_000;

export function createKafkaGroup(options: {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly trace: Trace;
  readonly partitions: number;
  readonly sessionTimeoutMs: number;
}): KafkaGroup {
  const { scheduler, dice, trace } = options;
  const members = new Map<string, { readonly member: GroupMember; silentMs: number }>();
  let generation = 0;
  let looking = false;
  let named = 0;

  /** Everybody hears of the new generation, each a moment of its own later, and not at all while its beats do not arrive. */
  function rebalance(): void {
    const mine = ++generation;
    const assigned = new Set<string>();
    for (const { member } of members.values()) {
      scheduler.after(dice.between(0, BEAT_MS), `group rebalancing ${member.id}`, () => {
        // Who has its share already has nothing to hear about.
        if (mine === generation && members.has(member.id) && member.beats() && !assigned.has(member.id)) member.onRebalancing();
      });
    }
    scheduler.after(dice.between(50, 3_000), `group generation ${mine}`, () => {
      if (mine !== generation) return;
      const owners = [...members.values()].map(({ member }) => member);
      const offset = dice.below(Math.max(1, owners.length));
      for (const [place, member] of owners.entries()) {
        const own = Array.from({ length: options.partitions }, (_, partition) => partition).filter(
          (partition) => (partition + offset) % owners.length === place,
        );
        tell(mine, member, own, assigned);
      }
      trace.add(`group ${mine}: ${owners.map(({ id }) => id).join(' ')}`);
    });
  }

  function tell(mine: number, member: GroupMember, own: readonly number[], assigned: Set<string>): void {
    scheduler.after(dice.between(1, 300), `group assigns ${member.id}`, () => {
      if (mine !== generation || !members.has(member.id)) return;
      // Its join is answered when it hears again.
      if (!member.beats()) {
        tell(mine, member, own, assigned);
        return;
      }
      assigned.add(member.id);
      member.onAssigned(own);
    });
  }

  function look(): void {
    for (const [id, known] of members) {
      known.silentMs = known.member.beats() ? 0 : known.silentMs + BEAT_MS;
      if (known.silentMs < options.sessionTimeoutMs) continue;
      members.delete(id);
      known.member.onEvicted();
      trace.add(`group evicts ${id}`);
      rebalance();
    }
    looking = false;
    keepLooking();
  }

  function keepLooking(): void {
    if (looking || members.size === 0) return;
    looking = true;
    scheduler.after(BEAT_MS, 'group beats', look);
  }

  return {
    nextId: (name) => `${name}#${++named}`,
    join(member) {
      members.set(member.id, { member, silentMs: 0 });
      keepLooking();
      rebalance();
    },
    leave(id) {
      if (members.delete(id)) rebalance();
    },
    rebalance,
    get members() {
      return members.size;
    },
  };
}
