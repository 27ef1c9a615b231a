import type { IdKind } from '../../schema/values/ids.ts';
import { uuidFromId } from '../../schema/values/ids.ts';

/** Ids held of each kind, some 200 bytes each. At the bound all are dropped and read anew as they come. */
const maxKnown = 10_000;
const known = new Map<IdKind, Map<string, string>>();

/**
 * {@link uuidFromId} for ids that come again and again, as those of organizations and keys do: read once, and the same text
 * every time, so that what is grouped by it is hashed once. What is no id is not remembered.
 */
export function knownUuid(kind: IdKind, id: string): string | null {
  let ofKind = known.get(kind);
  if (ofKind === undefined) {
    ofKind = new Map();
    known.set(kind, ofKind);
  }
  const found = ofKind.get(id);
  if (found !== undefined) return found;
  const uuid = uuidFromId(kind, id);
  if (uuid === null) return null;
  if (ofKind.size >= maxKnown) ofKind.clear();
  ofKind.set(id, uuid);
  return uuid;
}
