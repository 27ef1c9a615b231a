import type { ErrorCode } from '../../../schema/errors.ts';

interface UsableUntil {
  /** Epoch milliseconds; null = never. */
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}

/** Why a key is refused although its secret is right, or null where it is let in. */
export function keyRefusal(
  key: UsableUntil & { readonly disabledAt: number | null },
  secret: UsableUntil,
  nowMs: number,
): ErrorCode | null {
  if (key.revokedAt !== null || secret.revokedAt !== null) return 'key_revoked';
  if (isOver(key, nowMs) || isOver(secret, nowMs)) return 'key_expired';
  return key.disabledAt === null ? null : 'key_disabled';
}

function isOver({ expiresAt }: UsableUntil, nowMs: number): boolean {
  return expiresAt !== null && expiresAt <= nowMs;
}
