import { GatewayError } from '../../../schema/errors.ts';
import { RESPONSES } from '../../../schema/http/responses.ts';

/** That there is no endpoint, and where something like it is. */
export function noEndpoint(method: string, path: string): GatewayError {
  const hint = path.startsWith(`${RESPONSES}/`)
    ? ` What a provider keeps of its responses is asked for by its name: ${method} /{provider}${path}.`
    : '';
  return new GatewayError('endpoint_not_found', { message: `There is no endpoint ${method} ${path}.${hint}` });
}
