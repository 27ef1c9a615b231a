import { GatewayError } from '../../../schema/errors.ts';
import type { CompiledKey, CompiledModel, CompiledSnapshot } from '../snapshot/compiled-snapshot.ts';

/** Candidates an error names at most. */
const MAX_LISTED = 16;

/** Whether a key may use a model: no list at all, the model by name, or `provider/*`. */
export function mayUse(key: CompiledKey, model: CompiledModel): boolean {
  return key.allowedModels === null || key.allowedModels.has(model.name) || key.allowedModels.has(`${model.provider.name}/*`);
}

/**
 * The model a name means for this key: a full name (`provider/model`), or a bare one that exactly one provider offers among
 * the models the key may use.
 * @throws {GatewayError} `model_not_found`, `model_not_allowed`, or `model_ambiguous` listing the candidates.
 */
export function resolveModel(snapshot: CompiledSnapshot, key: CompiledKey, name: string): CompiledModel {
  const exact = snapshot.models.get(name);
  if (exact !== undefined) {
    if (mayUse(key, exact)) return exact;
    throw new GatewayError('model_not_allowed', { message: `This API key may not use the model '${name}'.`, param: 'model' });
  }
  const offers = snapshot.offers.get(name);
  if (offers === undefined) {
    throw new GatewayError('model_not_found', {
      message: `There is no model '${name}'. \`GET /v1/models\` lists those you may use.`,
      param: 'model',
    });
  }
  const allowed = offers.filter((model) => mayUse(key, model));
  const [only] = allowed;
  if (only === undefined) {
    throw new GatewayError('model_not_allowed', { message: `This API key may not use the model '${name}'.`, param: 'model' });
  }
  if (allowed.length > 1) {
    const candidates = allowed.slice(0, MAX_LISTED).map((model) => model.name);
    throw new GatewayError('model_ambiguous', {
      message: `Several providers offer '${name}'; name one of: ${candidates.join(', ')}.`,
      param: 'model',
      meta: { candidates },
    });
  }
  return only;
}
