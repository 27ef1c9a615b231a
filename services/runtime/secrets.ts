import type { KeyObject } from 'node:crypto';
import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from './random.ts';
import { StartRefusal } from './start-refusal.ts';

const masterKeyBytes = 32;

/** What the installation's one secret is good for. Each use has a key of its own, derived, so none gives away another. */
export type Secrets = {
  /** HMAC-SHA-256 of a virtual key under the pepper: what is stored and looked up. 32 bytes, about 2 µs. */
  readonly hashKey: (virtualKey: string) => Buffer;
  /** The pepper as a prebuilt key object (1.6 µs a hash against 11 with raw bytes), for the hot path. */
  readonly pepper: KeyObject;
  /** A 16-byte salt from which personal data of one subject is hashed; fixed per installation and scope. */
  readonly salt: (scope: string) => Buffer;
  /** A 32-byte key for another purpose, such as signing cursors or sealing credentials. The same purpose gives the same key. */
  readonly deriveKey: (purpose: string) => KeyObject;
};

/** Which pepper a stored hash was made under; stored beside it, so that the pepper can be changed one day. */
export const pepperVersion = 1;

/** Derives everything from the master key with HKDF-SHA-256 (RFC 5869); the purpose is the `info`. */
export function deriveSecrets(masterKey: Buffer): Secrets {
  const derive = (purpose: string, bytes: number): Buffer => Buffer.from(hkdfSync('sha256', masterKey, '', `turnpike/${purpose}`, bytes));
  const pepper = createSecretKey(derive(`pepper/${pepperVersion}`, 32));
  return {
    hashKey: (virtualKey) => createHmac('sha256', pepper).update(virtualKey).digest(),
    pepper,
    salt: (scope) => derive(`salt/${scope}`, 16),
    deriveKey: (purpose) => createSecretKey(derive(`key/${purpose}`, 32)),
  };
}

/**
 * The master key: the one given by TURNPIKE_MASTER_KEY, else, of an embedded installation, the one in `<home>/master.key`, which
 * is made (mode 0600) where there is none. Of two processes that make it at once one wins and both get the winner's.
 * @throws StartRefusal where the file does not hold a key, or none is given where one must be.
 */
export async function loadMasterKey(options: {
  readonly given: Buffer | null;
  readonly home: string;
  readonly random: Random;
  /** Whether it must be given: processes of several machines share it, so none of them may make its own. */
  readonly mustBeGiven: boolean;
}): Promise<Buffer> {
  if (options.given !== null) return options.given;
  if (options.mustBeGiven) {
    throw new StartRefusal(
      'TURNPIKE_MASTER_KEY: expected 32 bytes in base64, the same for every process, found nothing. Make it once and keep it safe, ' +
        'for without it no key is recognized: openssl rand -base64 32',
    );
  }
  const path = join(options.home, 'master.key');
  const kept = await readMasterKey(path);
  if (kept !== null) return kept;

  const draft = `${path}.${options.random.bytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${options.random.bytes(masterKeyBytes).toString('base64')}\n`);
    // Synced before it has its name: a key that is lost after it was used makes every stored hash worthless.
    await file.sync();
  } finally {
    await file.close();
  }
  // A link fails where the name exists, a rename would replace the key another process just began to use.
  await link(draft, path).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  await unlink(draft);
  const made = await readMasterKey(path);
  if (made === null) throw new StartRefusal(`The master key ${path} vanished while it was made.`);
  return made;
}

async function readMasterKey(path: string): Promise<Buffer | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== masterKeyBytes) {
    throw new StartRefusal(
      `${path} does not hold a master key (${masterKeyBytes} bytes in base64). Restore it from a backup: without it no key can be recognized.`,
    );
  }
  return key;
}
