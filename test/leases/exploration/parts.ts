import { recover } from '../../../services/proxy/admission/leases/lease-boot.ts';
import { step } from '../../../services/proxy/admission/leases/lease-protocol.ts';
import { lease_report } from '../mirror/generation.ts';
import { lease_ask } from '../mirror/lease-ask.ts';
import { lease_beat, lease_declare_lost, lease_register } from '../mirror/lease-node.ts';
import { lease_post } from '../mirror/lease-post.ts';
import { lease_return } from '../mirror/lease-return.ts';
import { changeAmount } from '../mirror/limits.ts';
import type { World } from './world.ts';

/** What a mutation may put something else in the place of: the module, the statements, and the rim's few decisions. */
export interface Parts {
  readonly step: typeof step;
  readonly recover: typeof recover;
  readonly lease_ask: typeof lease_ask;
  readonly lease_return: typeof lease_return;
  readonly lease_beat: typeof lease_beat;
  readonly lease_register: typeof lease_register;
  readonly lease_report: typeof lease_report;
  readonly lease_post: typeof lease_post;
  readonly lease_declare_lost: typeof lease_declare_lost;
  readonly changeAmount: typeof changeAmount;
  /** The epoch a boot claims. */
  readonly nextEpoch: (epoch: number) => number;
  /** The older epochs a boot calls torn. */
  readonly tornEpochs: (torn: readonly number[]) => readonly number[];
  /** Whether a process that finds its name taken, and has this claimed on its disk, leaves the name to the other for good. */
  readonly givesUpName: (claimed: number, epoch: number) => boolean;
  /** Whether a boot says that the spool was moved. */
  readonly isMoved: (moved: boolean) => boolean;
  /** Whether posting finds that an entry is there already. */
  readonly isDuplicate: (posted: boolean) => boolean;
  /** What else time does. */
  readonly passed: (world: World) => void;
}

export const parts: Parts = {
  step,
  recover,
  lease_ask,
  lease_return,
  lease_beat,
  lease_register,
  lease_report,
  lease_post,
  lease_declare_lost,
  changeAmount,
  nextEpoch: (epoch) => epoch + 1,
  tornEpochs: (torn) => torn,
  givesUpName: (claimed, epoch) => claimed <= epoch,
  isMoved: (moved) => moved,
  isDuplicate: (posted) => posted,
  passed: () => undefined,
};
