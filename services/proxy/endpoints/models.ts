import { GatewayError } from '../../../schema/errors.ts';
import type { ModelList, ModelObject } from '../../../schema/http/models.ts';
import type { PriceSheet } from '../../pricing/price-sheet.ts';
import { catalogOf } from '../../registry/catalog/build-catalogs.ts';
import type { CompiledRoute } from '../../registry/catalog/catalog.ts';
import { modelNamed, modelsOf, onlyTarget, ROUTE_PREFIX, routeNamed } from '../../registry/catalog/catalog.ts';
import { mayUse, mayUseRoute } from '../../registry/catalog/resolve-model.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { CompiledKey, CompiledSnapshot } from '../snapshot/compiled-snapshot.ts';

/** Who a route is said to be owned by, where a model names its provider. */
const ROUTE_OWNER = 'route';

/** Answer of `GET /v1/models`: what the calling key may use, by name; its organization's routes first. */
export function listModels(snapshot: CompiledSnapshot, key: CompiledKey): ModelList {
  const data: ModelObject[] = [];
  const catalog = catalogOf(snapshot.catalogs, key.organizationId);
  for (const route of catalog.routes.values()) if (mayUseRoute(key, route)) data.push(routeObject(route));
  for (const model of modelsOf(catalog)) if (mayUse(key, model)) data.push(modelObject(model));
  return { object: 'list', data };
}

/**
 * Answer of `GET /v1/models/{id}`. A model the key may not use is as unknown to it as one that does not exist.
 * @throws {GatewayError} `model_not_found`.
 */
export function findModel(snapshot: CompiledSnapshot, key: CompiledKey, id: string): ModelObject {
  const catalog = catalogOf(snapshot.catalogs, key.organizationId);
  const choice = modelNamed(catalog, id);
  if (choice !== undefined && mayUse(key, onlyTarget(choice))) return modelObject(onlyTarget(choice));
  const route = id.startsWith(ROUTE_PREFIX) ? routeNamed(catalog, id) : undefined;
  if (route !== undefined && mayUseRoute(key, route)) return routeObject(route);
  throw new GatewayError('model_not_found', {
    message: `There is no model '${id}'. \`GET /v1/models\` lists those you may use.`,
    param: 'model',
  });
}

function modelObject(model: CompiledModel): ModelObject {
  return { id: model.name, object: 'model', created: Math.floor(model.createdAt / 1_000), owned_by: model.provider.name };
}

function routeObject(route: CompiledRoute<PriceSheet>): ModelObject {
  return { id: ROUTE_PREFIX + route.name, object: 'model', created: Math.floor(route.createdAt / 1_000), owned_by: ROUTE_OWNER };
}
