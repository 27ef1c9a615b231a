import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimes, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A holder renews its lock this often. */
const renewMs = 5_000;
/** A lock not renewed for this long is abandoned even if a process of its id lives: ids are used again, after a reboot for instance. */
const abandonedMs = 60_000;
const pollMs = 200;
const released = 'released';

/**
 * Runs `work` while no other process on this machine does, waiting for as long as another one lives and works.
 *
 * The lock is the file of the highest number in `folder`. To take over from a dead or finished holder n is to create n + 1, which the file
 * system grants to one process only; the highest file is never removed, so a slow contender can never take a number that was used before.
 * Node offers no flock, and removing a stale lock file before making one's own lets two contenders remove each other's.
 *
 * @template T
 * @param {string} folder created when absent.
 * @param {object} options
 * @param {() => void} options.onWait called once when another process holds the lock.
 * @param {(pid: number) => boolean} [options.isAlive]
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withInstallLock(folder, { onWait, isAlive = processIsAlive }, work) {
  mkdirSync(folder, { recursive: true });
  let file = tryTake(folder, isAlive);
  if (file === null) onWait();
  while (file === null) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    file = tryTake(folder, isAlive);
  }
  const held = file;
  const renewal = setInterval(() => utimes(held, new Date(), new Date(), () => {}), renewMs);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    // Kept, and no longer naming a process: see above.
    writeFileSync(held, released);
  }
}

/**
 * @param {string} folder
 * @param {(pid: number) => boolean} isAlive
 * @returns {string | null} the lock file now ours, or null.
 */
function tryTake(folder, isAlive) {
  const highest = Math.max(0, ...numbersIn(folder));
  if (highest > 0 && isHeld(join(folder, String(highest)), isAlive)) return null;
  const mine = join(folder, String(highest + 1));
  try {
    writeFileSync(mine, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return null;
    throw error;
  }
  const numbers = numbersIn(folder);
  if (numbers.some((number) => number > highest + 1)) {
    rmSync(mine, { force: true });
    return null;
  }
  for (const number of numbers) if (number <= highest) rmSync(join(folder, String(number)), { force: true });
  return mine;
}

/** @param {string} folder */
function numbersIn(folder) {
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/**
 * @param {string} file
 * @param {(pid: number) => boolean} isAlive
 */
function isHeld(file, isAlive) {
  try {
    const text = readFileSync(file, 'utf8');
    // Empty: its maker is between making and writing it.
    const lives = text === '' || (text !== released && isAlive(Number.parseInt(text, 10)));
    return lives && Date.now() - statSync(file).mtimeMs < abandonedMs;
  } catch {
    // Gone between listing and reading: whoever removed it holds a higher one, and the next look sees that.
    return true;
  }
}

/** @param {number} pid */
function processIsAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
