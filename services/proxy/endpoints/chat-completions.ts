import { GatewayError } from '../../../schema/errors.ts';
import type { ChatCompletionRequest } from '../../../schema/http/chat-completions.ts';
import { chatCompletionFault, isChatCompletionRequest } from '../../../schema/http/chat-completions.ts';
import type { OutputCap } from '../../../schema/values/output-cap.ts';
import { catalogOf } from '../../registry/catalog/build-catalogs.ts';
import { chooseTarget } from '../../registry/catalog/choose-target.ts';
import { resolveModel } from '../../registry/catalog/resolve-model.ts';
import type { ReceivedBody } from '../body/received-body.ts';
import type { BudgetGate, DowngradingBudget } from '../budgets/budget-gate.ts';
import { outputLimitOf } from '../budgets/token-bound.ts';
import type { Exchange } from '../exchange.ts';
import type { Idempotency } from '../idempotency/idempotency.ts';
import type { Provider } from '../providers/provider.ts';
import { PROVIDERS } from '../providers/registry.ts';
import type { Credentials } from '../relay/credentials.ts';
import type { Relays } from '../relay/relays.ts';
import { requestHeaders } from '../relay/request-headers.ts';
import type { Entropy } from '../settlement/entropy.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Upstreams } from '../upstream/upstreams.ts';

export interface ChatCompletionsOptions {
  readonly upstreams: Upstreams;
  readonly credentials: Credentials;
  readonly relays: Relays;
  readonly entropy: Entropy;
  readonly gate: BudgetGate;
  readonly idempotency: Idempotency;
}

/** A request that knows where it goes. */
interface Call {
  readonly exchange: Exchange;
  readonly request: ChatCompletionRequest;
  readonly body: ReceivedBody;
  readonly target: CompiledModel;
  /** Of the route that it came by, where it sets no limit itself. */
  readonly outputCap: OutputCap | null;
  readonly provider: Provider;
  readonly upstream: Upstream;
  readonly fixedHeaders: readonly string[];
}

type Refuse = (exchange: Exchange, cause: unknown) => void;

/**
 * Serves a chat completion.
 * @param refuse told of a refusal that comes later, when a budget or an idempotency key had to be asked for. @throws {GatewayError} of one that comes at
 *   once.
 */
export type ChatCompletions = (exchange: Exchange, body: ReceivedBody, refuse: Refuse) => void;

/** Serves `POST /v1/chat/completions`: check, route, claim its key, hold its budgets, relay. It is refused before any provider is called. */
export function createChatCompletions(options: ChatCompletionsOptions): ChatCompletions {
  const { upstreams, credentials, relays, entropy, gate, idempotency } = options;

  const relay = (call: Call): void => {
    const { exchange, request, body, target, provider, upstream, fixedHeaders } = call;
    if (!upstream.take()) {
      throw new GatewayError('upstream_unavailable', { message: 'All connections to the provider are in use.', retryAfterSeconds: 1 });
    }
    exchange.nameSubject(entropy);
    const outputTokens = injectedTokens(call);
    if (outputTokens !== null) warn(exchange, `max_tokens_injected; max_tokens=${outputTokens}`);
    const started = relays.start({
      exchange,
      target,
      provider,
      answers: provider.chatCompletions,
      upstream,
      path: provider.chatCompletions.path(target),
      headers: requestHeaders(fixedHeaders, exchange),
      body: provider.chatCompletions.prepare(body.bytes, { request, outputTokens }, target),
      usageAsked: request.stream_options?.include_usage === true,
      choices: request.n ?? 1,
    });
    if (started) return;
    upstream.release();
    throw new GatewayError('accounting_unavailable', { retryAfterSeconds: 5 });
  };

  /** @throws {GatewayError} where the target cannot be called. */
  const callOf = (asked: Pick<Call, 'exchange' | 'request' | 'body' | 'target' | 'outputCap'>): Call => {
    const { target } = asked;
    const provider = PROVIDERS[target.provider.protocol];
    const upstream = upstreams.find(target.provider.id);
    if (upstream === null) throw new GatewayError('upstream_unavailable');
    const fixedHeaders = credentials.headersFor(target);
    if (fixedHeaders === null) throw new GatewayError('upstream_credentials_rejected');
    return { ...asked, provider, upstream, fixedHeaders };
  };

  /** The call to where a budget without room sends it; null where its key may not go there, or nothing can be called there: then it is refused. */
  const downgraded = (from: Call, { id, downgradeTo }: DowngradingBudget): Call | null => {
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

  const hold = (call: Call, refuse: Refuse): void => {
    const { exchange, target, request, body, outputCap } = call;
    const budgets = exchange.snapshot.budgets.get(exchange.key.organizationId);
    if (budgets === undefined) {
      relay(call);
      return;
    }
    const held = { exchange, budgets, target, request, bytes: body.bytes, outputCap };
    const downgrade = (budget: DowngradingBudget): boolean => {
      const other = downgraded(call, budget);
      if (other === null) return false;
      // Once: where there is no room either it is refused.
      gate.admit({ ...held, target: other.target, outputCap: other.outputCap }, () => relay(other), refuse);
      return true;
    };
    gate.admit({ ...held, downgrade }, () => relay(call), refuse);
  };

  return (exchange, body, refuse) => {
    exchange.receivedAt = body.arrivedAt;
    const request = body.value;
    if (!isChatCompletionRequest(request)) {
      const { param, message } = chatCompletionFault(request);
      throw new GatewayError('invalid_request', { param, message });
    }
    exchange.modelRequested = request.model;
    exchange.stream = request.stream === true;
    exchange.endUser ??= request.user ?? null;

    const { key } = exchange;
    const catalog = catalogOf(exchange.snapshot.catalogs, key.organizationId);
    const decision = chooseTarget(resolveModel(catalog, key, request.model), exchange.requestId);
    const { target } = decision;
    exchange.target = target;
    exchange.routeId = decision.routeId;
    exchange.decisionReason = decision.reason;
    exchange.candidates = decision.candidates;

    const call = callOf({ exchange, request, body, target, outputCap: capFor(request, body, decision) });
    const idempotencyKey = exchange.headers['idempotency-key'];
    // Before its budgets: an answer that was paid for is given again also when they are used up.
    if (idempotencyKey === undefined) hold(call, refuse);
    else idempotency.admit({ exchange, key: idempotencyKey, body: body.bytes }, () => hold(call, refuse), refuse);
  };
}

function capFor(
  request: ChatCompletionRequest,
  { bytes }: ReceivedBody,
  { outputCap }: { readonly outputCap: OutputCap | null },
): OutputCap | null {
  return outputCap === null || outputLimitOf(request, bytes) !== null ? null : outputCap;
}

/** What is written into a request; never more than its model can, which providers refuse. */
function injectedTokens({ outputCap, target }: Pick<Call, 'outputCap' | 'target'>): number | null {
  return outputCap?.injected === true ? Math.min(outputCap.tokens, target.maxOutputTokens ?? outputCap.tokens) : null;
}

function warn(exchange: Exchange, warning: string): void {
  exchange.warning = exchange.warning === null ? warning : `${exchange.warning}, ${warning}`;
}
