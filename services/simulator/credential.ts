import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Headers whose values are secrets: the simulator shows and keeps only the names of what they hold. */
export const credentialHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'cookie',
]);

/** What an `Authorization` value holds, without its scheme. */
const bareSecret = (value: string): string => value.replace(/^bearer\s+/i, '').trim();

/**
 * A name for a credential that does not reveal it: the same for a bare key and for `Bearer <key>`. A test that knows the key computes the
 * same name with this function.
 */
export function credentialName(value: string): string {
  const secret = bareSecret(value);
  return secret === '' ? 'none' : `sha256:${hash('sha256', secret, 'hex').slice(0, 16)}`;
}

/** The secret a request presents, or an empty text. */
export function presentedSecret(headers: IncomingHttpHeaders): string {
  const other = headers['api-key'] ?? headers['x-api-key'];
  return bareSecret(headers.authorization ?? (typeof other === 'string' ? other : ''));
}

const failingCredential = /^sim-error-([a-z0-9-]+?)(?:_.*)?$/;

/** The kind of error that the credential `sim-error-<kind>` or `sim-error-<kind>_<anything>` asks for, or null. */
export function failureAskedByCredential(secret: string): string | null {
  return secret.startsWith('sim-error-') ? (failingCredential.exec(secret)?.[1] ?? null) : null;
}

/**
 * `credentialName` with a memory, since every request needs the name of one of a few keys.
 * Bound: 1,000 names, forgotten together when full.
 */
export function createCredentialNamer(): (secret: string) => string {
  const names = new Map<string, string>();
  return (secret) => {
    const known = names.get(secret);
    if (known !== undefined) return known;
    if (names.size >= 1_000) names.clear();
    const name = credentialName(secret);
    names.set(secret, name);
    return name;
  };
}
