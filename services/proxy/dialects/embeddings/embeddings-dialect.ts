import type { IncomingHttpHeaders } from 'node:http';
import type { NotCarried } from '../../conversation/dialect.ts';
import type { AnswerFacts, AnswerReader } from '../../providers/provider.ts';

/** What an application wants embedded, whatever it is told in. */
export interface EmbeddingsWish {
  /** One vector each. */
  readonly texts: readonly string[];
  /** How long the vectors shall be, as it was said; null: as the model has it. */
  readonly dimensions: unknown;
  /** Members beside those of OpenAI's dialect, as the application wrote them. */
  readonly others: ReadonlyMap<string, unknown>;
}

/** The vectors of an answer, in the order of the texts, and what it says about itself. */
export interface ReadVectors {
  readonly vectors: readonly (readonly number[])[];
  readonly facts: AnswerFacts;
}

/** How a provider that does not speak OpenAI's dialect embeds texts. */
export interface EmbeddingsDialect {
  /** @param notCarried told of each of the other members that there is no place for. @throws {GatewayError} where it cannot be asked for that. */
  writeRequest(wish: EmbeddingsWish, upstreamModel: string, notCarried: NotCarried): { readonly path: string; readonly body: unknown };
  /** Null when the bytes are no such answer. */
  readAnswer(bytes: Buffer, headers: IncomingHttpHeaders): ReadVectors | null;
  readonly readRefusal: AnswerReader['readRefusal'];
}

/** The vector where a parsed value is one. */
export function vectorOf(value: unknown): readonly number[] | null {
  return Array.isArray(value) && value.every((component) => typeof component === 'number') ? value : null;
}
