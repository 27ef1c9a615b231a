import { isFields } from '../../body/json-fields.ts';
import { refuseStored } from '../../conversation/stored-media.ts';

/** By which a part names its file, wherever it stands: also in what a tool gave. */
const FILE_ADDRESSES: readonly string[] = ['fileUri', 'file_uri'];

/** Refuses contents with files in a store, as {@link refuseStored} does. @throws {GatewayError} */
export function refuseStoredFiles(contents: unknown): void {
  if (Array.isArray(contents)) for (const content of contents) refuseStoredFiles(content);
  else if (isFields(contents)) {
    for (const [name, value] of Object.entries(contents)) {
      if (typeof value === 'string' && FILE_ADDRESSES.includes(name)) refuseStored(value);
      else refuseStoredFiles(value);
    }
  }
}
