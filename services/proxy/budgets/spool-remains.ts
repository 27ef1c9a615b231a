import type { SpoolBoot } from '../../eventlog/spool/spool-recovery.ts';

/** What the boots that wrote a spool say of the leases they held. */
export interface SpoolRemains {
  /** Epochs that may have admitted what no record tells of any more: their unspent room is unproven, not free. */
  readonly torn: readonly number[];
  /** The last owner ran under another boot, maybe on another machine that it still runs on. */
  readonly moved: boolean;
}

/**
 * Judges them (reference/leases.md sections 3 and 6): within one boot of the machine, whatever was written is there, and the lock proves the last owner
 * dead. After another boot, what a `group` spool had not synced is gone, unless it says at its end that it was stopped in order.
 * @param soleMachine nobody else can have the folder: nobody is waited for.
 */
export function judgeBoots(
  boots: readonly SpoolBoot[],
  now: { readonly machineBoot: string; readonly durability: 'group' | 'strict'; readonly soleMachine: boolean },
): SpoolRemains {
  const lost = boots.filter(({ clean, machineBoot }) => !clean && machineBoot !== null && machineBoot !== now.machineBoot);
  const last = boots.at(-1);
  return {
    torn: now.durability === 'group' ? lost.map(({ epoch }) => epoch) : [],
    moved: !now.soleMachine && last !== undefined && lost.includes(last),
  };
}
