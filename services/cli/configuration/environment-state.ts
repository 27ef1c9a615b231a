import { servesEndpoint } from '../../../schema/http/endpoints.ts';
import type { CatalogueModel } from '../../pricing/catalogue.ts';
import { priceVersion } from '../../pricing/price-sheet.ts';
import { bedrockInEnvironment, bedrockModelIn } from '../../registry/bedrock-in-environment.ts';
import type { DesiredModel, DesiredProvider, DesiredState } from '../../registry/configuration/desired-state.ts';
import { KNOWN_PROVIDERS } from '../../registry/known-providers.ts';
import { ENDPOINT_OF_MODE } from './endpoint-of-mode.ts';
import type { Resolution } from './file-state.ts';

/** A provider that the environment names. */
interface Found extends Omit<DesiredProvider, 'options'> {
  /** What it calls a model of the catalogue; null where it does not have it. */
  readonly upstreamModel: (catalogued: string) => string | null;
}

/**
 * The known providers whose credential is in the environment, each with the models of the catalogue that it serves an endpoint for, and their prices.
 * Models whose provider announced a last day that is past are left out.
 * @param taken providers that a configuration file defines; it is the more explicit statement. @throws {StartRefusal} where the environment is mistaken.
 */
export function environmentState(taken: ReadonlySet<string>, resolution: Resolution): DesiredState {
  const found = foundProviders(resolution).filter(({ name }) => !taken.has(name));
  return {
    owner: 'environment',
    providers: found.map(({ name, protocol, baseUrl, credential }) => ({ name, protocol, baseUrl, credential, options: {} })),
    models: found.flatMap((provider) => modelsAt(provider, resolution)),
    keys: [],
  };
}

function foundProviders({ readCredential }: Resolution): Found[] {
  const known = KNOWN_PROVIDERS.filter(({ variable }) => readCredential(variable) !== null);
  const found = known.map(
    ({ variable, ...provider }): Found => ({ ...provider, credential: { env: variable }, upstreamModel: (model) => model }),
  );
  const bedrock = bedrockInEnvironment(readCredential);
  if (bedrock !== null) {
    const { region, baseUrl, credential } = bedrock;
    found.push({
      name: 'bedrock',
      protocol: 'bedrock',
      baseUrl,
      credential,
      upstreamModel: (model) => bedrockModelIn(region, model),
    });
  }
  return found;
}

function modelsAt({ name, protocol, upstreamModel }: Found, { priceBook, nowMs }: Resolution): DesiredModel[] {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const offered = new Map<string, CatalogueModel>();
  for (const catalogued of priceBook.modelsOf(name)) {
    const { model, mode, deprecatedOn } = catalogued;
    const isServed = servesEndpoint(protocol, ENDPOINT_OF_MODE[mode]);
    const upstream = isServed && (deprecatedOn === undefined || deprecatedOn >= today) ? upstreamModel(model) : null;
    // Under another name than its own it has a price of its own there.
    if (upstream !== null && (upstream !== model || !offered.has(upstream))) offered.set(upstream, catalogued);
  }
  return [...offered].map(([upstream, { model, contextWindow, maxOutputTokens, source }]) => {
    const sheet = priceBook.sheetFor(name, model, nowMs);
    return {
      name: `${name}/${upstream}`,
      upstreamModel: upstream,
      contextWindow: contextWindow ?? null,
      maxOutputTokens: maxOutputTokens ?? null,
      price: sheet === null ? null : { version: priceVersion(sheet), sheet, source: `catalogue ${source}` },
    };
  });
}
