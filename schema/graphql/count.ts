import { builder } from './builder.ts';

/** Up to where `count` counts. */
export const LARGEST_CAP = 10_000;

/** A count that stops at its cap, because counting far is what makes lists slow. `counted` is at most `cap + 1`. */
export const Count = builder.objectRef<{ readonly counted: number; readonly cap: number }>('Count').implement({
  fields: (t) => ({
    value: t.int({ resolve: ({ counted, cap }) => Math.min(counted, cap) }),
    isExact: t.boolean({ description: 'False where there are more than `cap`.', resolve: ({ counted, cap }) => counted <= cap }),
  }),
});

/** What a `count` field costs (reference/graphql.md section 4). */
export const countCost = { cost: () => 25 };
