import { GatewayError } from '../../../../schema/errors.ts';
import type { EmbeddingsRequest } from '../../../../schema/http/embeddings.ts';
import { INPUT_CLASSES, sumClasses } from '../../../../schema/values/token-usage.ts';
import type { Operation } from '../../providers/provider.ts';
import { wholeAnswers } from '../../providers/whole-answers.ts';
import { base64OfVector } from './base64-vectors.ts';
import type { EmbeddingsDialect, EmbeddingsWish, ReadVectors } from './embeddings-dialect.ts';

/** OpenAI's embeddings, served by a provider that embeds texts in another dialect. */
export function bridgedEmbeddings(dialect: EmbeddingsDialect): Operation<EmbeddingsRequest> {
  return ({ request }, target, { modelRequested }) => {
    const notCarried = new Set<string>(request.user === undefined || request.user === null ? [] : ['user']);
    const isBase64 = isBase64Asked(request.encoding_format);
    const { path, body } = dialect.writeRequest(wishOf(request), target.upstreamModel, (field) => notCarried.add(field));
    return {
      path,
      body: Buffer.from(JSON.stringify(body), 'utf8'),
      headers: [],
      answers: wholeAnswers({
        readAnswer: (bytes, headers) => {
          const read = dialect.readAnswer(bytes, headers);
          return read === null ? null : { facts: read.facts, body: writeEmbeddings(read, modelRequested, isBase64), refusal: null };
        },
        readRefusal: (status, headers, refused) => ({ ...dialect.readRefusal(status, headers, refused), body: null }),
      }),
      notCarried: [...notCarried],
    };
  };
}

function wishOf({ model: _model, input, encoding_format: _format, dimensions, user: _user, ...others }: EmbeddingsRequest): EmbeddingsWish {
  return { texts: textsOf(input), dimensions: dimensions ?? null, others: new Map(Object.entries(others)) };
}

/** The number of a token means a word to one model only, and there is no place for pictures. */
function textsOf(input: EmbeddingsRequest['input']): readonly string[] {
  const texts = typeof input === 'string' ? [input] : input.filter((item) => typeof item === 'string');
  if (texts.length > 0 && (typeof input === 'string' || texts.length === input.length)) return texts;
  throw new GatewayError('invalid_request', { message: "The model's provider embeds texts only: one, or a list of them.", param: 'input' });
}

function isBase64Asked(format: unknown): boolean {
  if (format === undefined || format === null || format === 'float') return false;
  if (format === 'base64') return true;
  throw new GatewayError('invalid_request', {
    message: "Invalid 'encoding_format': float and base64 are known.",
    param: 'encoding_format',
  });
}

/** What was not reported is not 0: an application is told that nobody knows. */
function writeEmbeddings({ vectors, facts: { usage } }: ReadVectors, model: string, isBase64: boolean): Buffer {
  const tokens = usage === null ? null : sumClasses(usage, INPUT_CLASSES);
  const data = vectors.map((vector, index) => ({ object: 'embedding', index, embedding: isBase64 ? base64OfVector(vector) : vector }));
  const told = tokens === null ? null : { prompt_tokens: tokens, total_tokens: tokens };
  return Buffer.from(JSON.stringify({ object: 'list', data, model, usage: told }), 'utf8');
}
