import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BodyCheck } from './body-check.ts';
import { createBodyCheck } from './body-check.ts';

/** Where the proxy serves Google's `countTokens`, by POST: the model stands in the middle. */
export const COUNT_CONTENT_TOKENS = '/v1beta/models/:countTokens';
/** The same by the version that Google's clients ask for unless they are told another. */
export const COUNT_CONTENT_TOKENS_V1 = '/v1/models/:countTokens';

/** The body, as far as the gateway relies on it: contents, or a whole request for content, which names the model again. */
export const CountContentTokensBody = Type.Object({
  generateContentRequest: Type.Optional(Type.Object({})),
  generate_content_request: Type.Optional(Type.Object({})),
});
export type CountContentTokensBody = Static<typeof CountContentTokensBody>;

/** Checks what is to be the body of a request for a count. */
export const countContentTokensBody: BodyCheck<CountContentTokensBody> = createBodyCheck(
  Compile(CountContentTokensBody),
  'a request for a count of tokens',
);

/** A request with the model that its address names. */
export interface CountContentTokensRequest {
  readonly model: string;
  readonly body: CountContentTokensBody;
}
