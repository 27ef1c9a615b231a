import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { CompiledSnapshot } from '../snapshot/compiled-snapshot.ts';

/** Whether the account that a target is called with is the installation's, and several organizations use it: what is kept there is not any one's to see. */
export function isSharedAccount(
  { isShared }: Pick<CompiledSnapshot, 'isShared'>,
  { credential }: Pick<CompiledModel, 'credential'>,
): boolean {
  return isShared && credential.kind !== 'sealed';
}
