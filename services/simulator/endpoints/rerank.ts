import type { Composition, CompositionContext } from '../billable-endpoint.ts';
import { createBillableEndpoint } from '../billable-endpoint.ts';
import type { Endpoint, SimulatorState } from '../endpoint.ts';
import { unknownModel } from '../failures.ts';
import type { RerankRequest } from '../rerank-request.ts';
import { parseRerankRequest, rank, rerankTokensOf } from '../rerank-request.ts';
import type { TokenCounts } from '../token-counts.ts';
import { noTokens, toldCounts } from '../token-counts.ts';

function compose(request: RerankRequest, { behavior, random }: CompositionContext): Composition {
  const id = `rerank-${random.letters(29)}`;
  const usage: TokenCounts = {
    ...noTokens,
    promptTokens: behavior.promptTokens ?? rerankTokensOf(request),
  };
  const told = { prompt_tokens: usage.promptTokens, completion_tokens: 0, total_tokens: usage.promptTokens };
  const model = behavior.answerAs ?? request.model;
  return {
    kind: 'body',
    id,
    headers: [],
    usage,
    told: toldCounts(usage, ['promptTokens', 'completionTokens']),
    body: JSON.stringify({ id, object: 'rerank', model, results: rank(request), ...(behavior.usage === 'none' ? {} : { usage: told }) }),
    // The scores come together: either all pairs were read, and are billed, or none was.
    units: 1,
  };
}

/** `POST /v1/rerank`, as Together answers it: billed by the token. */
export function rerankEndpoint(state: SimulatorState): Endpoint {
  return createBillableEndpoint(state, {
    path: '/v1/rerank',
    promptParameter: 'query',
    read: parseRerankRequest,
    unknownModel,
    compose,
  });
}
