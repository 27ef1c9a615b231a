import { GatewayError } from '../../../schema/errors.ts';
import type { CatalogModel } from './catalog.ts';

/** The refusal of a request whose model is at a provider that does not serve the endpoint. */
export function endpointRefusal({ name, provider }: Pick<CatalogModel<unknown>, 'name' | 'provider'>, endpoint: string): GatewayError {
  const message = `The model '${name}' cannot be asked by ${endpoint}: its provider '${provider.name}' does not serve that.`;
  return new GatewayError('endpoint_not_supported', { message, param: 'model' });
}
