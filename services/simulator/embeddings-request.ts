import type { Static } from 'typebox';
import { Type } from 'typebox';
import { invalidRequest } from './failures.ts';
import type { Read } from './request-reader.ts';
import { createRequestReader, isRefused, orNull } from './request-reader.ts';
import { promptTokensOf } from './token-counts.ts';

/** OpenAI's own limits. */
const mostInputs = 2_048;
const mostDimensions = 3_072;
/** As many inputs as OpenAI takes, at the usual length of a vector: bounds the body of an answer to some 70 MB. */
const mostComponents = mostInputs * 1_536;
export const usualDimensions = 1_536;

const Tokens = Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 });

/** What the simulator reads of an embeddings request. Other fields are allowed and only remembered for `GET /requests/last`. */
const EmbeddingsRequest = Type.Object({
  model: Type.String(),
  input: Type.Union([
    Type.String({ minLength: 1 }),
    Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: mostInputs }),
    Tokens,
    Type.Array(Tokens, { minItems: 1, maxItems: mostInputs }),
  ]),
  encoding_format: orNull(Type.Union([Type.Literal('float'), Type.Literal('base64')])),
  dimensions: orNull(Type.Integer({ minimum: 1, maximum: mostDimensions })),
  metadata: orNull(Type.Record(Type.String(), Type.Unknown())),
});
export type EmbeddingsRequest = Static<typeof EmbeddingsRequest>;

const read = createRequestReader(EmbeddingsRequest);

/** One text, or one list of token numbers. */
export type EmbeddingInput = string | readonly number[];

/** The inputs one by one: a list of numbers is a single input. */
export function inputsOf({ input }: EmbeddingsRequest): readonly EmbeddingInput[] {
  if (typeof input === 'string') return [input];
  const numbers = input.filter((item) => typeof item === 'number');
  return numbers.length > 0 ? [numbers] : input.filter((item) => typeof item !== 'number');
}

/** Tokens of an input: told by the client where it sends tokens. */
export const inputTokensOf = (input: EmbeddingInput): number => (typeof input === 'string' ? promptTokensOf(input) : input.length);

/** Reads a request body, or says what OpenAI would say about it. */
export function parseEmbeddingsRequest(body: Uint8Array): Read<EmbeddingsRequest> {
  const outcome = read(body);
  if (isRefused(outcome)) return outcome;
  const { request } = outcome;
  if (inputsOf(request).length * (request.dimensions ?? usualDimensions) > mostComponents) {
    return { failure: invalidRequest(`The inputs times their dimensions may be ${mostComponents} at most.`, 'input', 'too_many_inputs') };
  }
  return outcome;
}
