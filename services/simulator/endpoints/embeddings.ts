import type { Composition, CompositionContext } from '../billable-endpoint.ts';
import { createBillableEndpoint } from '../billable-endpoint.ts';
import { embeddingVector, vectorBase64, vectorJson } from '../embedding-vectors.ts';
import type { EmbeddingsRequest } from '../embeddings-request.ts';
import { inputsOf, inputTokensOf, parseEmbeddingsRequest, usualDimensions } from '../embeddings-request.ts';
import { embeddingsShapeOf } from '../embeddings-shapes.ts';
import type { Endpoint, SimulatorState } from '../endpoint.ts';
import { unknownModel } from '../failures.ts';
import type { TokenCounts } from '../token-counts.ts';
import { noTokens, toldCounts } from '../token-counts.ts';

function compose(request: EmbeddingsRequest, { behavior, random, seed }: CompositionContext): Composition {
  const inputs = inputsOf(request);
  const stem = random.letters(29);
  const shape = embeddingsShapeOf(behavior.usageShape);
  const id = shape.hasId ? `embd-${stem}` : null;
  const dimensions = request.dimensions ?? usualDimensions;
  const write = request.encoding_format === 'base64' ? vectorBase64 : vectorJson;
  const data = inputs.map((input, index) => {
    const vector = embeddingVector(seed, typeof input === 'string' ? input : JSON.stringify(input), dimensions);
    return `{"object":"embedding","index":${index},"embedding":${write(vector)}}`;
  });
  const usage: TokenCounts = {
    ...noTokens,
    promptTokens: behavior.promptTokens ?? inputs.reduce((sum, input) => sum + inputTokensOf(input), 0),
  };
  const usageMember = behavior.usage === 'none' ? '' : `,"usage":${JSON.stringify(shape.usage(usage.promptTokens))}`;
  return {
    kind: 'body',
    id,
    headers: ['x-request-id', `req_${stem}`],
    usage,
    told: toldCounts(usage, shape.tellsCompletion ? ['promptTokens', 'completionTokens'] : ['promptTokens']),
    body:
      `{${id === null ? '' : `"id":"${id}",`}"object":"list","data":[${data.join(',')}],` +
      `"model":${JSON.stringify(behavior.answerAs ?? request.model)}${usageMember}}`,
    // The vectors come together: either they were computed, and the prompt is billed, or nothing was.
    units: 1,
  };
}

/** `POST /v1/embeddings`, as OpenAI answers it, or with another provider's usage. */
export function embeddingsEndpoint(state: SimulatorState): Endpoint {
  return createBillableEndpoint(state, {
    path: '/v1/embeddings',
    promptParameter: 'input',
    read: parseEmbeddingsRequest,
    unknownModel,
    compose,
  });
}
