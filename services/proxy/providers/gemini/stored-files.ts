import type { Fields } from '../../body/json-fields.ts';
import { isFields } from '../../body/json-fields.ts';
import { refuseStored } from '../../conversation/stored-media.ts';
import { keptRefusal } from '../kept-files.ts';

/** By which a part names its file, wherever it stands: also in what a tool gave. */
const FILE_ADDRESSES: readonly string[] = ['fileUri', 'file_uri'];
const CACHED_CONTENT: readonly string[] = ['cachedContent', 'cached_content'];

/**
 * For an account that several organizations share: refuses a request with files in a store, as {@link refuseStored} does, and one that goes on with content
 * which Google keeps there. @throws {GatewayError}
 */
export function refuseKeptContent(body: Fields): void {
  const cached = CACHED_CONTENT.find((name) => typeof body[name] === 'string');
  if (cached !== undefined) throw keptRefusal(cached);
  refuseStoredFiles(body);
}

function refuseStoredFiles(contents: unknown): void {
  if (Array.isArray(contents)) for (const content of contents) refuseStoredFiles(content);
  else if (isFields(contents)) {
    for (const [name, value] of Object.entries(contents)) {
      if (typeof value === 'string' && FILE_ADDRESSES.includes(name)) refuseStored(value);
      else refuseStoredFiles(value);
    }
  }
}
