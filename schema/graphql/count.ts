import { badInput } from './bad-input.ts';
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

/**
 * Counts up to a cap.
 * @throws GraphQLError `BAD_USER_INPUT` for a cap that is none, or beyond the largest.
 */
export async function countUpTo(
  cap: number,
  count: (cap: number) => Promise<number>,
): Promise<{ readonly counted: number; readonly cap: number }> {
  if (cap < 1 || cap > LARGEST_CAP) throw badInput(`\`cap\` is from 1 to ${LARGEST_CAP}.`);
  return { counted: await count(cap), cap };
}

/** What a `count` field costs (reference/graphql.md section 4). */
export const countCost = { cost: () => 25 };
