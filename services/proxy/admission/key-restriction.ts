import { GatewayError } from '../../../schema/errors.ts';
import type { SnapshotKey } from '../../registry/snapshot.ts';
import type { AddressList } from '../../runtime/address-list.ts';
import { createAddressList } from '../../runtime/address-list.ts';

/** From where and for what a key may be used, beyond which models. */
export interface KeyRestriction {
  /** null = every endpoint. */
  readonly endpoints: ReadonlySet<string> | null;
  /** null = from everywhere. */
  readonly addresses: AddressList | null;
}

/** What a snapshot says, or null for a key without such limits: of those nothing is asked per request. */
export function compileRestriction({ allowedEndpoints, allowedCidrs }: SnapshotKey): KeyRestriction | null {
  if (allowedEndpoints === null && allowedCidrs === null) return null;
  return {
    endpoints: allowedEndpoints === null ? null : new Set(allowedEndpoints),
    addresses: allowedCidrs === null ? null : createAddressList(allowedCidrs),
  };
}

/** @param address of the client; null = unknown, which no block holds. @throws {GatewayError} `address_not_allowed`, `endpoint_not_allowed`. */
export function refuseRestricted(restriction: KeyRestriction, endpoint: string, address: string | null): void {
  const { endpoints, addresses } = restriction;
  if (addresses !== null && !addresses.includes(address)) throw new GatewayError('address_not_allowed');
  if (endpoints !== null && !endpoints.has(endpoint)) {
    throw new GatewayError('endpoint_not_allowed', { message: `This API key may not use the endpoint ${endpoint}.` });
  }
}
