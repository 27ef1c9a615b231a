import { GatewayError } from '../../../schema/errors.ts';
import { PASS_THROUGH } from '../../../schema/http/pass-through.ts';
import type { ProviderProtocol } from '../../../schema/values/provider-protocol.ts';
import { catalogOf } from '../../registry/catalog/build-catalogs.ts';
import type { CatalogProvider } from '../../registry/catalog/catalog.ts';
import { providerNamed } from '../../registry/catalog/catalog.ts';
import { mayUse } from '../../registry/catalog/resolve-model.ts';
import { awsErrors } from '../answer/aws-errors.ts';
import { openaiErrors } from '../answer/openai-errors.ts';
import type { Fields } from '../body/json-fields.ts';
import { isFields, textOf } from '../body/json-fields.ts';
import type { ReceivedBody } from '../body/received-body.ts';
import type { BoundingModel, TokenBound } from '../budgets/token-bound.ts';
import { tokenBound } from '../budgets/token-bound.ts';
import type { AskedEndpoint, Exchange } from '../exchange.ts';
import { calledModel } from '../pass-through/called-model.ts';
import { passedAnswers } from '../pass-through/passed-answers.ts';
import { passedHeaders } from '../pass-through/passed-headers.ts';
import { providerAddress } from '../pass-through/provider-address.ts';
import { unlistedModel } from '../pass-through/unlisted-model.ts';
import type { FailureBilling } from '../providers/provider.ts';
import { NOTHING } from '../providers/provider.ts';
import { PROVIDERS } from '../providers/registry.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { HttpMethod } from '../upstream/upstream.ts';
import type { CallingOptions } from './serve-provider-endpoint.ts';
import type { Refuse } from './served-endpoint.ts';
import { isSharedAccount } from './shared-account.ts';

const OPENAIS: AskedEndpoint = { path: PASS_THROUGH, errors: openaiErrors };
const AWSS: AskedEndpoint = { path: PASS_THROUGH, errors: awsErrors };

/** Everything below the name of a provider. Errors are in the words of what AWS's SDKs ask for, else in OpenAI's. */
export function passThroughEndpoint(protocol: ProviderProtocol): AskedEndpoint {
  return protocol === 'bedrock' ? AWSS : OPENAIS;
}

/** What of a request line says where it goes. */
export interface PassedRequest {
  readonly method: HttpMethod;
  /** As it was sent. */
  readonly target: string;
  /** The name of the provider in it. */
  readonly provider: string;
}

/** Such a request that knows where it goes. */
interface Passed {
  readonly request: PassedRequest;
  readonly body: ReceivedBody;
  readonly target: CompiledModel;
  /** Below the base URL, with its query. */
  readonly path: string;
  /** What it costs where its answer reports no usage. */
  readonly billing: FailureBilling;
}

export type PassThrough = (exchange: Exchange, request: PassedRequest, body: ReceivedBody, refuse: Refuse) => void;

/** Of what asks for nothing to be made: a list, a file, the end of a batch. */
const NOTHING_MADE: TokenBound = { input: 0, output: 0 };

/**
 * Passes a request to a provider's own address, and its answer back, byte for byte: what a provider has and the gateway has no endpoint for. It is
 * authenticated, held to budgets and one entry like every other. Its usage is read where it can be, and priced where its body names a model of the
 * catalog; else its entry is unrated.
 */
export function createPassThrough({ upstreams, credentials, relays, entropy, gate }: Omit<CallingOptions, 'idempotency'>): PassThrough {
  const relay = (exchange: Exchange, passed: Passed): void => {
    const { request, body, target, path, billing } = passed;
    const provider = PROVIDERS[target.provider.protocol];
    const upstream = upstreams.find(target.provider.id);
    if (upstream === null) throw new GatewayError('upstream_unavailable');
    const fixedHeaders = credentials.headersFor(target);
    const sign = credentials.signerFor(target);
    if (!upstream.take()) {
      throw new GatewayError('upstream_unavailable', { message: 'All connections to the provider are in use.', retryAfterSeconds: 1 });
    }
    exchange.nameSubject(entropy);
    const prepared = {
      method: request.method,
      path,
      body: body.bytes,
      headers: NOTHING,
      answers: passedAnswers(provider, billing),
      notCarried: NOTHING,
    };
    const headers = passedHeaders(fixedHeaders, exchange, provider);
    if (relays.start({ exchange, target, provider, prepared, upstream, headers, sign, usageAsked: true, choices: 1 })) return;
    upstream.release();
    throw new GatewayError('accounting_unavailable', { retryAfterSeconds: 5 });
  };

  return (exchange, request, body, refuse) => {
    exchange.receivedAt = body.arrivedAt;
    const { key, snapshot } = exchange;
    const catalog = catalogOf(snapshot.catalogs, key.organizationId);
    const called = providerNamed(catalog, request.provider);
    if (called === undefined) throw noProvider(request.provider);
    const { name, protocol, baseUrl } = called.provider;
    const { path } = providerAddress(request.target, request.provider, baseUrl);
    const asked = isFields(body.value) ? body.value : null;
    const addressed = PROVIDERS[protocol].addresses?.read(path) ?? null;
    const model = addressed?.model ?? textOf(asked?.model);
    const target = (model === null ? null : calledModel(catalog, name, model)) ?? unlistedModel(called);
    refuseForbidden(exchange, called, addressed === null ? null : target);
    const passed = { request, body, target, path, billing: addressed?.billing ?? 'unknown' };
    exchange.modelRequested = model;
    exchange.stream = addressed?.stream ?? asked?.stream === true;
    exchange.target = target;
    exchange.decisionReason = 'pass_through';
    exchange.candidates = [target.name];

    const budgets = snapshot.budgets.get(key.organizationId);
    if (budgets === undefined) {
      relay(exchange, passed);
      return;
    }
    const bound = (bounding: BoundingModel): TokenBound => (body.bytes.length === 0 ? NOTHING_MADE : boundOf(asked, body.bytes, bounding));
    const held = { exchange, budgets, target, outputCap: null, bodyBytes: body.bytes.length, bound };
    gate.admit(held, () => relay(exchange, passed), refuse);
  };
}

function noProvider(name: string): GatewayError {
  return new GatewayError('endpoint_not_found', { message: `There is no provider '${name}'.` });
}

/**
 * What passes is not looked into, so who is held to models must have all of the provider's, unless the address itself says which model it goes to. And an
 * account that several organizations share holds the files and batches of all of them.
 * @param addressed what the address goes to; null: it does not say.
 */
function refuseForbidden({ key, snapshot }: Exchange, { provider, credential }: CatalogProvider, addressed: CompiledModel | null): void {
  const { name } = provider;
  if (key.allowedModels !== null && !key.allowedModels.has(`${name}/*`) && !(addressed !== null && mayUse(key, addressed))) {
    const message = `This API key is held to some models, and what goes to /${name}/ is not looked into: it has to be allowed '${name}/*'.`;
    throw new GatewayError('model_not_allowed', { message });
  }
  if (isSharedAccount(snapshot, { credential })) {
    const message = `Several organizations share the account behind '${name}': give the provider a credential of yours to use /${name}/.`;
    throw new GatewayError('endpoint_not_allowed', { message });
  }
}

function boundOf(asked: Fields | null, bytes: Buffer, model: BoundingModel): TokenBound {
  const choices = Number.isSafeInteger(asked?.n) ? Math.max(1, Number(asked?.n)) : 1;
  // Its parts are not known, so it is taken for one that has others than text.
  return tokenBound({ textBytes: bytes.length, otherParts: 1, outputLimit: null, choices }, model, null);
}
