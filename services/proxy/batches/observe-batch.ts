import type { Fields } from '../body/json-fields.ts';
import type { FileRecords } from '../files/file-records.ts';
import type { AccountReference } from '../files/provider-account.ts';
import type { BatchName, BatchRecords } from './batch-records.ts';
import { filesMade, isOver } from './batch-status.ts';

/**
 * Takes note of how a provider describes a batch: the files that it made belong to whom it belongs to.
 * @param options `wakes`: whether one that is over from now on is to be settled at once.
 */
export type ObserveBatch = (batch: BatchName & AccountReference, object: Fields, options: { readonly wakes: boolean }) => Promise<void>;

/** @param onOver told that a batch may be settled now. */
export function createObserveBatch(
  records: Pick<BatchRecords, 'describe'>,
  files: Pick<FileRecords, 'add'>,
  onOver: () => void,
): ObserveBatch {
  return async ({ organizationId, requestId, providerId, credentialId }, object, { wakes }) => {
    // Nobody may be told of a file that he cannot find then.
    for (const id of filesMade(object))
      await files.add({ organizationId, id, providerId, credentialId, purpose: 'batch_output', model: null }, null);
    const settles = wakes && isOver(object);
    await records.describe({ organizationId, requestId }, object, settles);
    if (settles) onOver();
  };
}
