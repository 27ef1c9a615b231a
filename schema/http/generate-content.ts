import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BodyCheck } from './body-check.ts';
import { createBodyCheck } from './body-check.ts';

/** Where the proxy serves Google's `generateContent` and `streamGenerateContent`, by POST: model and method stand in what follows. */
export const GENERATE_CONTENT = '/v1beta/models/';
/** The same by the version that Google's clients ask for unless they are told another. */
export const GENERATE_CONTENT_V1 = '/v1/models/';

const Count = Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }));
const Config = Type.Optional(
  Type.Object({ maxOutputTokens: Count, max_output_tokens: Count, candidateCount: Count, candidate_count: Count }),
);

/** The body, as far as the gateway relies on it; Google takes every member in either spelling. */
export const GenerateContentBody = Type.Object({
  contents: Type.Array(Type.Object({}), { minItems: 1 }),
  generationConfig: Config,
  generation_config: Config,
  tools: Type.Optional(Type.Array(Type.Object({}))),
});
export type GenerateContentBody = Static<typeof GenerateContentBody>;

/** A request with what its address says. */
export interface GenerateContentRequest {
  readonly model: string;
  readonly method: 'generateContent' | 'streamGenerateContent';
  /** A stream is asked for as events; else it is one list. */
  readonly isEventStream: boolean;
  readonly body: GenerateContentBody;
}

/** Checks what is to be the body of a request for content. */
export const generateContentBody: BodyCheck<GenerateContentBody> = createBodyCheck(Compile(GenerateContentBody), 'a request for content');
