import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BodyCheck } from './body-check.ts';
import { createBodyCheck } from './body-check.ts';

/** Where the proxy serves batches that are made at providers; single ones below it. */
export const BATCHES = '/v1/batches';

/** Body of `POST /v1/batches`, as far as the gateway relies on it. */
export const BatchRequest = Type.Object({
  input_file_id: Type.String({ minLength: 1, maxLength: 256 }),
});
export type BatchRequest = Static<typeof BatchRequest>;

/** Checks what is to be a batch. */
export const batchBody: BodyCheck<BatchRequest> = createBodyCheck(Compile(BatchRequest), 'a batch');
