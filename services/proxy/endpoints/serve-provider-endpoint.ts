import { GatewayError } from '../../../schema/errors.ts';
import type { OutputCap } from '../../../schema/values/output-cap.ts';
import { catalogOf } from '../../registry/catalog/build-catalogs.ts';
import { chooseTarget } from '../../registry/catalog/choose-target.ts';
import { endpointRefusal } from '../../registry/catalog/endpoint-refusal.ts';
import { resolveModel } from '../../registry/catalog/resolve-model.ts';
import { notCarriedWarning, warn } from '../answer/warnings.ts';
import { MultipartForm } from '../body/multipart-form.ts';
import type { ReceivedBody } from '../body/received-body.ts';
import type { BudgetGate, DowngradingBudget } from '../budgets/budget-gate.ts';
import type { SignCall } from '../credentials/bedrock-signers.ts';
import type { Exchange } from '../exchange.ts';
import type { Idempotency } from '../idempotency/idempotency.ts';
import type { Operation, Provider } from '../providers/provider.ts';
import { PROVIDERS } from '../providers/registry.ts';
import type { Credentials } from '../relay/credentials.ts';
import type { Relays } from '../relay/relays.ts';
import { requestHeaders } from '../relay/request-headers.ts';
import type { Entropy } from '../settlement/entropy.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';
import type { Refuse, ServedEndpoint } from './served-endpoint.ts';
import { isSharedAccount } from './shared-account.ts';

export interface CallingOptions {
  readonly upstreams: Upstreams;
  readonly credentials: Credentials;
  readonly relays: Relays;
  readonly entropy: Entropy;
  readonly gate: BudgetGate;
  readonly idempotency: Idempotency;
}

/** A request that knows where it goes. */
interface Call<Request> {
  readonly exchange: Exchange;
  readonly request: Request;
  readonly body: ReceivedBody;
  readonly target: CompiledModel;
  /** Of the route that it came by, where it sets no limit itself. */
  readonly outputCap: OutputCap | null;
  readonly provider: Provider;
  readonly operation: Operation<Request>;
  readonly upstream: Upstream;
  readonly fixedHeaders: readonly string[];
  readonly sign: SignCall | null;
}

/** Serves an endpoint: check, route, claim its key, hold its budgets, relay. A request is refused before any provider is called. */
export function serveProviderEndpoint<Request>(endpoint: ProviderEndpoint<Request>, options: CallingOptions): ServedEndpoint['serve'] {
  const { upstreams, credentials, relays, entropy, gate, idempotency } = options;

  const relay = (call: Call<Request>): void => {
    const { exchange, request, body, target, provider, operation, upstream, fixedHeaders, sign } = call;
    const outputTokens = injectedTokens(call);
    const asked = { bytes: body.bytes, media: body.media, request, outputTokens };
    const context = {
      requestId: exchange.requestId,
      nowMs: exchange.admittedAtMs,
      modelRequested: endpoint.model(request),
      headers: exchange.headers,
      isSharedAccount: isSharedAccount(exchange.snapshot, target),
    };
    const prepared = operation(asked, target, context);
    if (!upstream.take()) {
      throw new GatewayError('upstream_unavailable', { message: 'All connections to the provider are in use.', retryAfterSeconds: 1 });
    }
    exchange.nameSubject(entropy);
    if (outputTokens !== null) warn(exchange, `max_tokens_injected; max_tokens=${outputTokens}`);
    if (prepared.notCarried.length > 0) warn(exchange, notCarriedWarning(prepared.notCarried));
    const started = relays.start({
      exchange,
      target,
      provider,
      prepared,
      upstream,
      headers: requestHeaders(fixedHeaders, prepared.headers, exchange),
      sign,
      usageAsked: endpoint.usageAsked(request),
      choices: endpoint.choices(request),
    });
    if (started) return;
    upstream.release();
    throw new GatewayError('accounting_unavailable', { retryAfterSeconds: 5 });
  };

  /** @throws {GatewayError} where the target cannot be called. */
  const callOf = (asked: Pick<Call<Request>, 'exchange' | 'request' | 'body' | 'target' | 'outputCap'>): Call<Request> => {
    const { target } = asked;
    const provider = PROVIDERS[target.provider.protocol];
    const operation = endpoint.operation(provider.operations);
    if (operation === undefined) throw endpointRefusal(target, asked.exchange.endpoint);
    const upstream = upstreams.find(target.provider.id);
    if (upstream === null) throw new GatewayError('upstream_unavailable');
    const fixedHeaders = credentials.headersFor(target);
    return { ...asked, provider, operation, upstream, fixedHeaders, sign: credentials.signerFor(target) };
  };

  const capFor = (request: Request, { bytes }: ReceivedBody, { outputCap }: { readonly outputCap: OutputCap | null }): OutputCap | null =>
    outputCap === null || endpoint.outputLimit(request, bytes) !== null ? null : outputCap;

  /** The call to where a budget without room sends it; null where its key may not go there, or nothing can be called there: then it is refused. */
  const downgraded = (from: Call<Request>, { id, downgradeTo }: DowngradingBudget): Call<Request> | null => {
    const { exchange, request, body, target } = from;
    const { key, snapshot, requestId } = exchange;
    try {
      const decision = chooseTarget(resolveModel(catalogOf(snapshot.catalogs, key.organizationId), key, downgradeTo), requestId);
      if (decision.target === target) return null;
      // The application came by its route, also where it goes to a model that is none.
      const outputCap = decision.routeId === null ? from.outputCap : capFor(request, body, decision);
      const call = callOf({ exchange, request, body, target: decision.target, outputCap });
      exchange.target = decision.target;
      exchange.routeId = decision.routeId ?? exchange.routeId;
      exchange.decisionReason = 'budget_downgrade';
      exchange.candidates = [...exchange.candidates, ...decision.candidates];
      warn(exchange, `budget_downgrade; budget=${id}`);
      return call;
    } catch (error) {
      if (error instanceof GatewayError) return null;
      throw error;
    }
  };

  const hold = (call: Call<Request>, refuse: Refuse): void => {
    const { exchange, target, request, body, outputCap } = call;
    const budgets = exchange.snapshot.budgets.get(exchange.key.organizationId);
    if (budgets === undefined) {
      relay(call);
      return;
    }
    const { bytes } = body;
    const bound = (model: CompiledModel, cap: OutputCap | null) => endpoint.bound(request, bytes, model, cap);
    const held = { exchange, budgets, target, outputCap, bodyBytes: bytes.length, bound };
    const downgrade = (budget: DowngradingBudget): boolean => {
      const other = downgraded(call, budget);
      if (other === null) return false;
      // Once: where there is no room either it is refused.
      gate.admit({ ...held, target: other.target, outputCap: other.outputCap }, () => relay(other), refuse);
      return true;
    };
    gate.admit({ ...held, downgrade }, () => relay(call), refuse);
  };

  return (exchange, body, rest, refuse) => {
    exchange.receivedAt = body.arrivedAt;
    const request = endpoint.parse(body.value, rest);
    const model = endpoint.model(request);
    exchange.modelRequested = model;
    exchange.stream = endpoint.stream(request);
    exchange.endUser ??= endpoint.endUser(request);

    const { key } = exchange;
    const catalog = catalogOf(exchange.snapshot.catalogs, key.organizationId);
    const decision = chooseTarget(resolveModel(catalog, key, model), exchange.requestId);
    const { target } = decision;
    exchange.target = target;
    exchange.routeId = decision.routeId;
    exchange.decisionReason = decision.reason;
    exchange.candidates = decision.candidates;

    const call = callOf({ exchange, request, body, target, outputCap: capFor(request, body, decision) });
    const idempotencyKey = exchange.headers['idempotency-key'];
    // Before its budgets: an answer that was paid for is given again also when they are used up.
    if (idempotencyKey === undefined) hold(call, refuse);
    else {
      // An SDK that repeats a form gives it another boundary.
      const pieces = body.value instanceof MultipartForm ? body.value.pieces() : [body.bytes];
      idempotency.admit({ exchange, key: idempotencyKey, body: body.bytes, pieces }, () => hold(call, refuse), refuse);
    }
  };
}

/** What is written into a request; never more than its model can, which providers refuse. */
function injectedTokens({ outputCap, target }: Pick<Call<unknown>, 'outputCap' | 'target'>): number | null {
  return outputCap?.injected === true ? Math.min(outputCap.tokens, target.maxOutputTokens ?? outputCap.tokens) : null;
}
