import { priceVersion } from '../../pricing/price-sheet.ts';
import type { DesiredState } from '../../registry/configuration/desired-state.ts';
import { KNOWN_PROVIDERS } from '../../registry/known-providers.ts';
import type { Resolution } from './file-state.ts';

/**
 * The known providers whose credential is in the environment, each with the chat models and prices of the catalogue.
 * Models whose provider announced a last day that is past are left out.
 * @param taken providers that a configuration file defines; it is the more explicit statement.
 */
export function environmentState(taken: ReadonlySet<string>, resolution: Resolution): DesiredState {
  const found = KNOWN_PROVIDERS.filter(({ name, variable }) => !taken.has(name) && resolution.readCredential(variable) !== null);
  const today = new Date(resolution.nowMs).toISOString().slice(0, 10);
  return {
    owner: 'environment',
    providers: found.map(({ name, variable, protocol, baseUrl }) => ({
      name,
      protocol,
      baseUrl,
      credential: { env: variable },
      options: {},
    })),
    models: found.flatMap(({ name }) =>
      resolution.priceBook
        .modelsOf(name)
        .filter(({ mode, deprecatedOn }) => mode === 'chat' && (deprecatedOn === undefined || deprecatedOn >= today))
        .map(({ model, contextWindow, maxOutputTokens, source }) => {
          const sheet = resolution.priceBook.sheetFor(name, model, resolution.nowMs);
          return {
            name: `${name}/${model}`,
            upstreamModel: model,
            contextWindow: contextWindow ?? null,
            maxOutputTokens: maxOutputTokens ?? null,
            price: sheet === null ? null : { version: priceVersion(sheet), sheet, source: `catalogue ${source}` },
          };
        }),
    ),
    keys: [],
  };
}
