import { GatewayError } from '../../../schema/errors.ts';
import type { ModelList, ModelObject } from '../../../schema/http/models.ts';
import { mayUse } from '../admission/resolve-model.ts';
import type { CompiledKey, CompiledModel, CompiledSnapshot } from '../snapshot/compiled-snapshot.ts';

export const MODELS = '/v1/models';

/** Answer of `GET /v1/models`: what the calling key may use, by name. */
export function listModels(snapshot: CompiledSnapshot, key: CompiledKey): ModelList {
  const data: ModelObject[] = [];
  for (const model of snapshot.models.values()) if (mayUse(key, model)) data.push(modelObject(model));
  return { object: 'list', data };
}

/**
 * Answer of `GET /v1/models/{id}`. A model the key may not use is as unknown to it as one that does not exist.
 * @throws {GatewayError} `model_not_found`.
 */
export function findModel(snapshot: CompiledSnapshot, key: CompiledKey, id: string): ModelObject {
  const model = snapshot.models.get(id);
  if (model !== undefined && mayUse(key, model)) return modelObject(model);
  throw new GatewayError('model_not_found', {
    message: `There is no model '${id}'. \`GET /v1/models\` lists those you may use.`,
    param: 'model',
  });
}

function modelObject(model: CompiledModel): ModelObject {
  return { id: model.name, object: 'model', created: Math.floor(model.createdAt / 1_000), owned_by: model.provider.name };
}
