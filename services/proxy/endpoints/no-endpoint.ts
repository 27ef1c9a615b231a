import { GatewayError } from '../../../schema/errors.ts';
import { IMAGE_EDITS } from '../../../schema/http/images.ts';
import { RESPONSES } from '../../../schema/http/responses.ts';

/** Of DALL·E 2 alone, which is gone. */
const IMAGE_VARIATIONS = '/v1/images/variations';

/** That there is no endpoint, and where something like it is. */
export function noEndpoint(method: string, path: string): GatewayError {
  const hint = path.startsWith(`${RESPONSES}/`)
    ? ` What a provider keeps of its responses is asked for by its name: ${method} /{provider}${path}.`
    : path === IMAGE_VARIATIONS
      ? ` No model that is sold makes them; ask for a change of the picture: POST ${IMAGE_EDITS}.`
      : '';
  return new GatewayError('endpoint_not_found', { message: `There is no endpoint ${method} ${path}.${hint}` });
}
