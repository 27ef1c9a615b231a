import { ENDPOINTS, isEndpoint } from '../../schema/http/endpoints.ts';
import { isRequestOverride, REQUEST_OVERRIDES } from '../../schema/http/request-overrides.ts';
import { parseCidr } from '../runtime/address-list.ts';
import { RegistryError } from './change.ts';

/** Where a key may be used and for what, beyond which models, and what its requests may decide for themselves. */
export interface KeyLimits {
  /** Paths such as `/v1/chat/completions`; null = every endpoint. */
  readonly allowedEndpoints: readonly string[] | null;
  /** Blocks of addresses such as `10.0.0.0/8`; null = from everywhere. */
  readonly allowedCidrs: readonly string[] | null;
  /** Such as `timeout` (schema/http/request-overrides.ts); null = nothing. */
  readonly allowedOverrides: readonly string[] | null;
}

const MOST_CIDRS = 64;

/** @throws RegistryError `invalid`, which names the field: a list that is empty, too long, or holds what is no endpoint or block. */
export function requireLimits({ allowedEndpoints, allowedCidrs, allowedOverrides }: Partial<KeyLimits>): void {
  const override = allowedOverrides?.find((text) => !isRequestOverride(text));
  if (override !== undefined) {
    throw invalid('allowedOverrides', `There is no override ${quoted(override)}; there are ${REQUEST_OVERRIDES.join(', ')}.`);
  }
  const endpoint = allowedEndpoints?.find((text) => !isEndpoint(text));
  if (endpoint !== undefined) {
    throw invalid('allowedEndpoints', `There is no endpoint ${quoted(endpoint)}; there are ${ENDPOINTS.join(', ')}.`);
  }
  const cidr = allowedCidrs?.find((text) => parseCidr(text) === null);
  if (cidr !== undefined) {
    throw invalid(
      'allowedCidrs',
      `Expected a block of addresses such as 10.0.0.0/8 or 2001:db8::/32, with no bit set beyond its prefix; found ${quoted(cidr)}.`,
    );
  }
  if (allowedEndpoints?.length === 0) throw invalid('allowedEndpoints', 'An empty list lets nothing through: disable the key instead.');
  if (allowedCidrs?.length === 0) throw invalid('allowedCidrs', 'An empty list lets nobody through: disable the key instead.');
  if ((allowedCidrs?.length ?? 0) > MOST_CIDRS) throw invalid('allowedCidrs', `A key has at most ${MOST_CIDRS} blocks of addresses.`);
}

/** The columns of what is given, blocks as PostgreSQL writes them, so that the same block is no change. */
export function limitsOf({ allowedEndpoints, allowedCidrs, allowedOverrides }: Partial<KeyLimits>): {
  allowed_endpoints?: string[] | null;
  allowed_cidrs?: string[] | null;
  allowed_overrides?: string[] | null;
} {
  return {
    ...(allowedEndpoints === undefined ? {} : { allowed_endpoints: allowedEndpoints === null ? null : [...new Set(allowedEndpoints)] }),
    ...(allowedCidrs === undefined ? {} : { allowed_cidrs: allowedCidrs === null ? null : [...new Set(allowedCidrs.map(canonical))] }),
    ...(allowedOverrides === undefined ? {} : { allowed_overrides: allowedOverrides?.length ? [...new Set(allowedOverrides)] : null }),
  };
}

function canonical(text: string): string {
  const cidr = parseCidr(text);
  return cidr === null ? text : `${cidr.network}/${cidr.prefix}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}

function invalid(field: keyof KeyLimits, message: string): RegistryError {
  return new RegistryError('invalid', message, [field]);
}
