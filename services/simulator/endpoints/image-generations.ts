import type { Static } from 'typebox';
import { Type } from 'typebox';
import type { Composition, CompositionContext } from '../billable-endpoint.ts';
import { createBillableEndpoint } from '../billable-endpoint.ts';
import type { Endpoint, SimulatorState } from '../endpoint.ts';
import { unknownModel } from '../failures.ts';
import { createRequestReader, orNull } from '../request-reader.ts';
import { noTokens, promptTokensOf, toldCounts } from '../token-counts.ts';

/** What `gpt-image-1` takes for a square picture of low quality. */
const TOKENS_OF_PICTURE = 272;
/** One transparent point. */
const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

/** What the simulator reads of a request for pictures, which come whole. */
const ImageRequest = Type.Object({
  model: Type.String(),
  prompt: Type.String({ minLength: 1 }),
  n: orNull(Type.Integer({ minimum: 1, maximum: 10 })),
  stream: orNull(Type.Literal(false)),
  metadata: orNull(Type.Record(Type.String(), Type.Unknown())),
});
type ImageRequest = Static<typeof ImageRequest>;

function compose({ prompt, n }: ImageRequest, { behavior, createdSeconds }: CompositionContext): Composition {
  const count = n ?? 1;
  const usage = {
    ...noTokens,
    promptTokens: behavior.promptTokens ?? promptTokensOf(prompt),
    completionTokens: count * TOKENS_OF_PICTURE,
  };
  const { promptTokens, completionTokens } = usage;
  const told = {
    input_tokens: promptTokens,
    input_tokens_details: { image_tokens: 0, text_tokens: promptTokens },
    output_tokens: completionTokens,
    output_tokens_details: { image_tokens: completionTokens, text_tokens: 0 },
    total_tokens: promptTokens + completionTokens,
  };
  const answer = { created: createdSeconds, data: Array.from({ length: count }, () => ({ b64_json: PICTURE })), output_format: 'png' };
  return {
    kind: 'body',
    id: null,
    headers: [],
    usage,
    told: toldCounts(usage, ['promptTokens', 'completionTokens']),
    body: JSON.stringify(behavior.usage === 'none' ? answer : { ...answer, usage: told }),
    units: completionTokens,
  };
}

/** `POST /v1/images/generations`, whole, as OpenAI's newer models answer it: billed by the token. */
export function imageGenerationsEndpoint(state: SimulatorState): Endpoint {
  return createBillableEndpoint(state, {
    path: '/v1/images/generations',
    promptParameter: 'prompt',
    read: createRequestReader(ImageRequest),
    unknownModel,
    compose,
  });
}
