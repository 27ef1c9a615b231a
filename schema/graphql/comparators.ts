import { OUTCOMES } from '../events/request-settled.v1.ts';
import { builder } from './builder.ts';

/** Outcomes of a request under their GraphQL names, e.g. `SUCCEEDED`. */
export const Outcome = builder.enumType('Outcome', {
  description: 'How a request ended.',
  values: Object.fromEntries(OUTCOMES.map((outcome) => [outcome.toUpperCase(), { value: outcome }])),
});

/** Comparators of typed filters: `eq` for one value, `in` for any of several. */
export const IdFilter = builder.inputType('IdFilter', {
  fields: (t) => ({ eq: t.id(), in: t.idList() }),
});
export const TextFilter = builder.inputType('TextFilter', {
  fields: (t) => ({ eq: t.string(), in: t.stringList() }),
});
export const OutcomeFilter = builder.inputType('OutcomeFilter', {
  fields: (t) => ({ eq: t.field({ type: Outcome }), in: t.field({ type: [Outcome] }) }),
});
export const InstantFilter = builder.inputType('InstantFilter', {
  fields: (t) => ({
    gte: t.field({ type: 'DateTime', description: 'From this instant on.' }),
    lt: t.field({ type: 'DateTime', description: 'Before this instant.' }),
  }),
});
export const TagFilter = builder.inputType('TagFilter', {
  fields: (t) => ({
    key: t.string({ required: true }),
    in: t.stringList({ description: 'Any of these values; left out: the tag is set at all.' }),
  }),
});

/** The values a comparator allows, or null where it says nothing. */
export function valuesOf(
  comparator: { readonly eq?: string | null | undefined; readonly in?: readonly string[] | null | undefined } | null | undefined,
): readonly string[] | null {
  if (comparator == null) return null;
  const { eq, in: any } = comparator;
  if (eq == null) return any ?? null;
  return any == null || any.includes(eq) ? [eq] : [];
}
