import { GatewayError } from '../../../schema/errors.ts';
import type { Catalog, CatalogModel, Choice, CompiledRoute } from './catalog.ts';
import { modelNamed, offersOf, onlyTarget, ROUTE_PREFIX, routeNamed } from './catalog.ts';

/** Of a key, what it may use. */
export interface KeyPolicy {
  /** null = every model. */
  readonly allowedModels: ReadonlySet<string> | null;
}

/** Candidates an error names at most. */
const MAX_LISTED = 16;
const ANY_ROUTE = `${ROUTE_PREFIX}*`;

/** Whether a key may use a model: no list at all, the model by name, or `provider/*`. */
export function mayUse<Sheet>(key: KeyPolicy, model: CatalogModel<Sheet>): boolean {
  return key.allowedModels === null || key.allowedModels.has(model.name) || key.allowedModels.has(`${model.provider.name}/*`);
}

/** Whether a key may use a route, and its targets by it: no list at all, `route/<name>`, or `route/*`. */
export function mayUseRoute<Sheet>(key: KeyPolicy, route: CompiledRoute<Sheet>): boolean {
  return key.allowedModels === null || key.allowedModels.has(ANY_ROUTE) || key.allowedModels.has(ROUTE_PREFIX + route.name);
}

/**
 * What a name means for this key among what its organization has: a model by its full name (`provider/model`), a route
 * (`route/name` or `name`), or a bare name that exactly one provider offers among the models the key may use.
 * @throws {GatewayError} `model_not_found`, `model_not_allowed`, or `model_ambiguous` listing the candidates.
 */
export function resolveModel<Sheet>(catalog: Catalog<Sheet>, key: KeyPolicy, name: string): Choice<Sheet> {
  const exact = modelNamed(catalog, name);
  if (exact !== undefined) {
    if (mayUse(key, onlyTarget(exact))) return exact;
    throw notAllowed(name);
  }
  const route = routeNamed(catalog, name);
  if (route !== undefined) {
    if (!mayUseRoute(key, route)) throw notAllowed(name);
    if (route.choice !== null) return route.choice;
    throw new GatewayError('model_not_found', { message: `The route '${name}' has no model left to go to.`, param: 'model' });
  }
  const offers = offersOf(catalog, name);
  if (offers === undefined) {
    throw new GatewayError('model_not_found', {
      message: `There is no model '${name}'. \`GET /v1/models\` lists those you may use.`,
      param: 'model',
    });
  }
  const allowed = offers.filter((choice) => mayUse(key, onlyTarget(choice)));
  const [only] = allowed;
  if (only === undefined) throw notAllowed(name);
  if (allowed.length > 1) {
    const candidates = allowed.slice(0, MAX_LISTED).map((choice) => onlyTarget(choice).name);
    throw new GatewayError('model_ambiguous', {
      message: `Several providers offer '${name}'; name one of: ${candidates.join(', ')}.`,
      param: 'model',
      meta: { candidates },
    });
  }
  return only;
}

function notAllowed(name: string): GatewayError {
  return new GatewayError('model_not_allowed', { message: `This API key may not use the model '${name}'.`, param: 'model' });
}
