import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { mintId, uuidFromId } from '../../schema/values/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';

/** The `nod_…` id of the proxy that lives in this folder: made at its first start, the same until it is given up. */
export async function readNodeId(path: string, clock: Clock, random: Random): Promise<string> {
  const kept = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (uuidFromId('node', kept) !== null) return kept;
  const id = mintId('node', clock.now(), random.bytes(10));
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, `${id}\n`, { mode: 0o600 });
  return id;
}

/**
 * Leaves the id to another process that has it too, since this folder or this machine is a copy, or was copied: the next start makes a new one. Only one
 * process can say what was spent of a node's leases, and of two that try neither is right (infra/decisions/2026-11-22-two-processes-of-one-name.md).
 * The id stays readable beside it, for people.
 */
export async function giveUpNodeId(path: string): Promise<void> {
  await rename(path, `${path}.given-up`);
}
