import { GatewayError } from '../../../schema/errors.ts';
import { MultipartForm } from './multipart-form.ts';

/** A request that came as a form, as far as the gateway relies on it. */
export interface FormRequest {
  readonly form: MultipartForm;
  readonly model: string;
  readonly stream: boolean;
}

const MAX_MODEL_CHARACTERS = 256;

/** @throws {GatewayError} `invalid_request` where it is none, or leaves open which model is meant. */
export function parseFormRequest(value: unknown): FormRequest {
  if (!(value instanceof MultipartForm)) {
    throw new GatewayError('invalid_request', { message: 'The request body must be a form (`multipart/form-data`).' });
  }
  const models = value.texts('model');
  const [model = ''] = models;
  if (models.length !== 1 || value.timesNamed('model') !== 1 || model === '' || model.length > MAX_MODEL_CHARACTERS) {
    const message = models.length === 0 ? "Missing required parameter: 'model'." : "Invalid 'model': must be one name.";
    throw new GatewayError('invalid_request', { message, param: 'model' });
  }
  return { form: value, model, stream: value.texts('stream').some((text) => /^(?:true|1)$/i.test(text)) };
}
