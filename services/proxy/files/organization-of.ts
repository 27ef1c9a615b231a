import { GatewayError } from '../../../schema/errors.ts';
import { uuidFromId } from '../../../schema/values/ids.ts';
import type { Exchange } from '../exchange.ts';

/** The organization that a request is of; uuid. */
export function organizationOf({ key }: Pick<Exchange, 'key'>): string {
  const organization = uuidFromId('organization', key.organizationId);
  if (organization === null) throw new GatewayError('internal_error');
  return organization;
}
