import { statfs } from 'node:fs/promises';

/** Where Linux keeps files in memory for whoever asks. */
export const memoryFolder = '/dev/shm';
/** The kernel's name for a file system in memory (statfs(2)). */
const tmpfs = 0x01021994;

/** Whether so much can be written there, and the machine has that much memory to spare. */
export async function memoryHasRoom(bytes: number): Promise<boolean> {
  const found = await statfs(memoryFolder).catch(() => null);
  return found !== null && found.type === tmpfs && Math.min(found.bavail * found.bsize, process.availableMemory()) > bytes;
}
