import { shippedPriceBook } from '../../pricing/price-book.ts';
import type { DesiredState } from '../../registry/configuration/desired-state.ts';
import { readDocuments } from '../../registry/configuration/read-documents.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Environment, readCredential } from '../../runtime/environment.ts';
import { environmentState } from './environment-state.ts';
import { fileState } from './file-state.ts';

/**
 * What the configuration files and the environment want to exist, the files first.
 * Read before anything is started, so that a mistake is told within a second and nothing has to be undone.
 * @throws {StartRefusal} with every mistake, each with file, line, field and what was expected.
 */
export async function configuredStates(environment: Environment, clock: Clock): Promise<DesiredState[]> {
  const resolution = { priceBook: shippedPriceBook(), readCredential, nowMs: clock.now() };
  const documents = environment.configPath === null ? [] : await readDocuments(environment.configPath);
  const file = fileState(documents, resolution);
  return [file, environmentState(new Set(file.providers.map(({ name }) => name)), resolution)];
}
