import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

const NullableText = Type.Union([Type.String(), Type.Null()]);

/** Whom a batch is booked to and by which price: as it was when it was made, whatever becomes of key, model and price until it is settled. */
export const BatchTerms = Type.Object({
  format: Type.Literal(1),
  key: Type.Object({
    id: Type.String(),
    organizationId: Type.String(),
    teamId: NullableText,
    userId: NullableText,
    serviceAccountId: NullableText,
    partition: Type.Integer({ minimum: 0 }),
  }),
  tags: Type.Record(Type.String(), Type.String()),
  /** How the lines of its input name the model, and what that is: `provider/model`. */
  modelRequested: Type.String(),
  model: Type.String(),
  provider: Type.String(),
  upstreamModel: Type.String(),
  routeId: NullableText,
  /** The price sheet; null: the model has no price. */
  sheet: Type.Unknown(),
});
export type BatchTerms = Readonly<Static<typeof BatchTerms>>;

const check = Compile(BatchTerms);

/** The terms that a row has. @throws {TypeError} for what is none. */
export function parseBatchTerms(value: unknown): BatchTerms {
  if (!check.Check(value)) throw new TypeError('not the terms of a batch');
  return value;
}
