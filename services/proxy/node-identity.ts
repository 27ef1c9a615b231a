import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { mintId, uuidFromId } from '../../schema/values/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';

/** The `nod_…` id of the proxy that lives in this folder: made at its first start, the same ever after. */
export async function readNodeId(path: string, clock: Clock, random: Random): Promise<string> {
  const kept = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (uuidFromId('node', kept) !== null) return kept;
  const id = mintId('node', clock.now(), random.bytes(10));
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, `${id}\n`, { mode: 0o600 });
  return id;
}
