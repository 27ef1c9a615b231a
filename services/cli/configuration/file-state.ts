import type { KeyDocument, ModelDocument, ProviderDocument } from '../../../schema/config/document.ts';
import { parseDurationMs } from '../../../schema/values/duration.ts';
import { parseVirtualKey } from '../../../schema/values/virtual-key.ts';
import type { PriceBook } from '../../pricing/price-book.ts';
import type { PriceSheet } from '../../pricing/price-sheet.ts';
import { priceVersion, sheetFromPerMillion } from '../../pricing/price-sheet.ts';
import type { DesiredKey, DesiredModel, DesiredProvider, DesiredState } from '../../registry/configuration/desired-state.ts';
import type { LocatedDocument } from '../../registry/configuration/read-documents.ts';
import { PROVIDER_ACCESS } from '../../registry/provider-access.ts';
import { parseCidr } from '../../runtime/address-list.ts';
import { StartRefusal } from '../../runtime/start-refusal.ts';

/** What documents are resolved against. */
export interface Resolution {
  readonly priceBook: PriceBook;
  /** The value of an environment variable, or null where it is not set. */
  readonly readCredential: (variable: string) => string | null;
  /** Epoch milliseconds; decides which price of the catalogue holds. */
  readonly nowMs: number;
}

/** Name of the simulated provider, which a file may not take. */
const RESERVED_PROVIDER = 'sim';

/**
 * What a configuration wants to exist: references to secrets, prices and providers resolved.
 * @throws {StartRefusal} listing every reference that leads nowhere, with file and line.
 */
export function fileState(documents: readonly LocatedDocument[], resolution: Resolution): DesiredState {
  const mistakes: string[] = [];
  const providers: DesiredProvider[] = [];
  const models: DesiredModel[] = [];
  const keys: DesiredKey[] = [];
  const providerNames = new Set(
    documents.filter(({ document }) => document.kind === 'Provider').map(({ document }) => document.metadata.name),
  );

  for (const { document, location } of documents) {
    const mistake = (text: string): void => {
      mistakes.push(`${location}: ${document.kind} ${document.metadata.name}: ${text}`);
    };
    if (document.kind === 'Provider') providers.push(desiredProvider(document, mistake));
    else if (document.kind === 'Model') models.push(desiredModel(document, providerNames, resolution, mistake));
    else keys.push(desiredKey(document, resolution, mistake));
  }
  if (mistakes.length > 0) {
    throw new StartRefusal(`The configuration has ${mistakes.length} mistake(s):\n${mistakes.map((text) => `  ${text}`).join('\n')}`);
  }
  return { owner: 'file', providers, models, keys };
}

type Mistake = (text: string) => void;

function desiredProvider({ metadata, spec }: ProviderDocument, mistake: Mistake): DesiredProvider {
  if (metadata.name === RESERVED_PROVIDER) mistake(`metadata.name: ${RESERVED_PROVIDER} is the simulated provider; choose another name`);
  const duration = (field: 'connect' | 'firstByte' | 'idle'): number | undefined => {
    const text = spec.timeouts?.[field];
    if (text === undefined) return undefined;
    const milliseconds = parseDurationMs(text);
    if (milliseconds !== null && milliseconds > 0) return milliseconds;
    mistake(`spec.timeouts.${field}: expected an ISO 8601 duration such as PT30S`);
    return undefined;
  };
  // The schema sees to it that one of them is there.
  const baseUrl = spec.baseUrl ?? PROVIDER_ACCESS[spec.protocol].baseUrl ?? '';
  if (spec.apiVersion !== undefined && spec.protocol !== 'azure-openai') {
    mistake('spec.apiVersion: only a provider of protocol azure-openai has one');
  }
  if (spec.servesResponses !== undefined && spec.protocol !== 'openai') {
    mistake('spec.servesResponses: only of a provider of protocol openai it is to be said');
  }
  const [connectTimeoutMs, firstByteTimeoutMs, idleTimeoutMs] = [duration('connect'), duration('firstByte'), duration('idle')];
  return {
    name: metadata.name,
    protocol: spec.protocol,
    baseUrl: baseUrl.replace(/\/+$/, ''),
    credential: spec.credential ?? null,
    options: {
      ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
      ...(firstByteTimeoutMs === undefined ? {} : { firstByteTimeoutMs }),
      ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
      ...(spec.maxConnections === undefined ? {} : { maxConnections: spec.maxConnections }),
      ...(spec.onClientGone === undefined ? {} : { onClientGone: spec.onClientGone }),
      ...(spec.outputLimitField === undefined ? {} : { outputLimitField: spec.outputLimitField }),
      ...(spec.apiVersion === undefined ? {} : { apiVersion: spec.apiVersion }),
      ...(spec.servesResponses === undefined ? {} : { servesResponses: spec.servesResponses }),
    },
  };
}

function desiredModel(
  { metadata, spec }: ModelDocument,
  providers: ReadonlySet<string>,
  resolution: Resolution,
  mistake: Mistake,
): DesiredModel {
  const slash = metadata.name.indexOf('/');
  const provider = metadata.name.slice(0, slash);
  if (!providers.has(provider)) mistake(`metadata.name: there is no Provider ${provider} in this configuration`);
  return {
    name: metadata.name,
    upstreamModel: spec.upstreamModel ?? metadata.name.slice(slash + 1),
    contextWindow: spec.contextWindow ?? null,
    maxOutputTokens: spec.maxOutputTokens ?? null,
    price: desiredPrice(metadata.name, spec.price, resolution, mistake),
  };
}

/** The stated price; without one the catalogue's for the model of the same name; else none, and its requests are unrated. */
function desiredPrice(
  name: string,
  price: ModelDocument['spec']['price'],
  resolution: Resolution,
  mistake: Mistake,
): DesiredModel['price'] {
  const named = (sheet: PriceSheet, source: string) => ({ version: priceVersion(sheet), sheet, source });
  if (price !== undefined && 'perMillionTokens' in price) {
    try {
      const { perMillionTokens, perRequest: request, perSearch: search } = price;
      return named(sheetFromPerMillion({ ...perMillionTokens, request, search }), 'configuration');
    } catch (error) {
      mistake(`spec.price: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  }
  const entry = price?.catalogue ?? name;
  const slash = entry.indexOf('/');
  const sheet = resolution.priceBook.sheetFor(entry.slice(0, slash), entry.slice(slash + 1), resolution.nowMs);
  if (sheet !== null) return named(sheet, `catalogue ${entry}`);
  if (price !== undefined) mistake(`spec.price.catalogue: the catalogue has no ${entry}; state perMillionTokens instead`);
  return null;
}

function desiredKey({ metadata, spec }: KeyDocument, resolution: Resolution, mistake: Mistake): DesiredKey {
  const secret = resolution.readCredential(spec.secret.env);
  if (secret === null) mistake(`spec.secret.env: the environment variable ${spec.secret.env} is not set`);
  else if (parseVirtualKey(secret)?.kind !== 'ak') mistake(`spec.secret.env: ${spec.secret.env} does not hold a well-formed tpk_ak_… key`);
  for (const cidr of spec.allowedCidrs ?? []) {
    if (parseCidr(cidr) === null)
      mistake(`spec.allowedCidrs: expected a block of addresses such as 10.0.0.0/8, found ${JSON.stringify(cidr)}`);
  }
  return {
    name: metadata.name,
    secret: secret ?? '',
    team: spec.team ?? null,
    allowedModels: spec.allowedModels ?? null,
    allowedEndpoints: spec.allowedEndpoints ?? null,
    allowedOverrides: spec.allowedOverrides ?? null,
    allowedCidrs: spec.allowedCidrs ?? null,
    tags: spec.tags ?? {},
    metadata: spec.metadata ?? {},
    expiresAt: spec.expiresAt === undefined ? null : new Date(spec.expiresAt),
  };
}
