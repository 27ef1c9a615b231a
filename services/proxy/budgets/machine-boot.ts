import { readFile } from 'node:fs/promises';
import type { Clock } from '../../runtime/clock.ts';

/** A name that this boot of the machine shares with no other. Where the kernel gives none, every start counts as one of another boot. */
export async function readMachineBoot(clock: Clock): Promise<string> {
  const id = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return id.trim() === '' ? `unknown since ${clock.now()}` : id.trim();
}
