import type { BudgetKey } from '../values/budget.ts';
import { badInput } from './bad-input.ts';
import { BudgetLimitType, UnpricedModelPolicy } from './budget.ts';
import { decimalOfBudget } from './budget-amount.ts';
import {
  BudgetConditionInput,
  BudgetKeyInput,
  BudgetLimitInput,
  conditionOf,
  FallbackPriceInput,
  fallbackOf,
  keyOf,
  limitOf,
} from './budget-mutations.ts';
import { BudgetGroupValue } from './budget-state.ts';
import { builder } from './builder.ts';
import type { GraphqlContext } from './context.ts';
import { requireUuid } from './global-id.ts';
import { Money } from './money.ts';
import { notFound } from './not-found.ts';
import { allows } from './permission.ts';
import type {
  BudgetSimulationAnswer,
  BudgetSimulationQuestion,
  SimulatedDefinition,
  SimulatedGroupRow,
  SimulatedLimitRow,
} from './ports/budget-simulation.ts';
import { TimeRange } from './usage-report.ts';

const SimulateInput = builder.inputType('BudgetSimulateInput', {
  description: 'An existing budget, a definition, or both: then what is given takes the place of what the budget has.',
  fields: (t) => ({
    budgetId: t.id(),
    selector: t.field({ type: [BudgetConditionInput] }),
    groupBy: t.field({ type: [BudgetKeyInput] }),
    limits: t.field({ type: [BudgetLimitInput], description: '1 to 8; needed without `budgetId`.' }),
    onUnpricedModel: t.field({ type: UnpricedModelPolicy, description: 'BLOCK where neither it nor `budgetId` is given.' }),
    fallbackPrice: t.field({ type: FallbackPriceInput }),
  }),
});

interface Simulated {
  readonly question: BudgetSimulationQuestion;
  readonly answer: BudgetSimulationAnswer;
}
type Window = SimulatedLimitRow['windows'][number] & { readonly unit: SimulatedLimitRow['limit']['unit'] };
type Group = SimulatedGroupRow & { readonly groupBy: readonly BudgetKey[] };

const SimulatedWindow = builder.objectRef<Window>('BudgetSimulatedWindow').implement({
  description: 'One window of a limit, of all groups.',
  fields: (t) => ({
    startsAt: t.expose('startsAt', { type: 'DateTime', nullable: true }),
    endsAt: t.expose('endsAt', { type: 'DateTime', nullable: true }),
    used: t.field({ type: 'Decimal', description: 'What was let through.', resolve: ({ unit, used }) => decimalOfBudget(unit, used) }),
    peak: t.field({
      type: 'Decimal',
      description: 'The most that one group used.',
      resolve: ({ unit, peak }) => decimalOfBudget(unit, peak),
    }),
    refused: t.exposeInt('refused', { description: 'Requests.' }),
  }),
});

const SimulatedLimit = builder.objectRef<SimulatedLimitRow>('BudgetSimulatedLimit').implement({
  description: 'What one limit would have done.',
  fields: (t) => ({
    limit: t.field({ type: BudgetLimitType, resolve: ({ limit }) => limit }),
    refused: t.exposeInt('refused', { description: 'Requests for which it had no room; another limit may have had none either.' }),
    firstRefusedAt: t.expose('firstRefusedAt', { type: 'DateTime', nullable: true }),
    peak: t.field({
      type: 'Decimal',
      description: 'The most that one group used of it at once.',
      resolve: ({ limit, peak }) => decimalOfBudget(limit.unit, peak),
    }),
    windows: t.field({
      type: [SimulatedWindow],
      description: 'In order of time; of a rolling limit none. At most 100: those with the most refusals, then the most used.',
      resolve: ({ limit: { unit }, windows }) => windows.map((window) => ({ ...window, unit })),
    }),
    windowsLeftOut: t.exposeInt('windowsLeftOut'),
  }),
});

const SimulatedGroup = builder.objectRef<Group>('BudgetSimulatedGroup').implement({
  description: 'What would have become of the requests of one group.',
  fields: (t) => ({
    group: t.field({
      type: [BudgetGroupValue],
      nullable: true,
      description: 'In the order of `groupBy`. Null for all that are not among the first `topN`, and for the totals.',
      resolve: ({ groupBy, values }) => values?.map((value, index) => ({ ...keyAt(groupBy, index), value })) ?? null,
    }),
    requests: t.exposeInt('requests', { description: 'That were made.' }),
    refused: t.exposeInt('refused', { description: 'That would not have been let through.' }),
    cost: t.field({
      type: Money,
      description: 'Of what would have been let through, as far as it is known.',
      resolve: ({ costPicoUsd }) => costPicoUsd,
    }),
    refusedCost: t.field({
      type: Money,
      description: 'Of what would have been refused.',
      resolve: ({ refusedCostPicoUsd }) => refusedCostPicoUsd,
    }),
    firstRefusedAt: t.expose('firstRefusedAt', { type: 'DateTime', nullable: true }),
  }),
});

function keyAt(groupBy: readonly BudgetKey[], index: number): BudgetKey {
  return groupBy[index] ?? { dimension: 'tag', tagKey: null };
}

const method =
  'Each booked request in order of admission, at what it cost. It is refused where that does not fit into a limit, and counts nowhere then. ' +
  'Windows begin where they began: what was used in them before the range counts, but a lifetime begins with the range. ' +
  'Holds and concurrency are not simulated: near a limit a budget refuses a request for the most it could use, so it would have refused some of these earlier. ' +
  'What applications did after a refusal, and later corrections of costs, are not simulated either.';

const Simulation = builder.objectRef<Simulated>('BudgetSimulation').implement({
  description: 'What a budget would have done to past requests.',
  fields: (t) => ({
    method: t.string({ description: 'How it was found, and what it leaves out.', resolve: () => method }),
    from: t.field({ type: 'DateTime', resolve: ({ question }) => question.from }),
    to: t.field({ type: 'DateTime', resolve: ({ question }) => question.to }),
    countedFrom: t.field({
      type: 'DateTime',
      description: 'From where on requests counted, so that the windows of `from` are whole.',
      resolve: ({ answer }) => answer.countedFrom,
    }),
    seenTo: t.field({
      type: 'DateTime',
      description: 'Every request admitted before it was seen.',
      resolve: ({ answer }) => answer.seenTo,
    }),
    truncated: t.boolean({
      description: 'There was more than is looked at for one answer (100,000 requests, 8 seconds, 20,000 groups): it ends at `seenTo`.',
      resolve: ({ answer }) => answer.truncated,
    }),
    totals: t.field({
      type: SimulatedGroup,
      resolve: ({ question, answer }) => ({ ...answer.totals, groupBy: question.definition.groupBy }),
    }),
    refusedUnpriced: t.int({ description: 'Refused for a model without a price.', resolve: ({ answer }) => answer.refusedUnpriced }),
    unknown: t.int({
      description: 'Requests of which what they used of some limit is not known, such as orphans: they count as nothing there.',
      resolve: ({ answer }) => answer.unknown,
    }),
    refusedThen: t.int({
      description:
        'Requests that were refused when they were made, by budgets or anything else. They are not simulated: nobody knows what they would have cost.',
      resolve: ({ answer }) => answer.refusedThen,
    }),
    limits: t.field({ type: [SimulatedLimit], resolve: ({ answer }) => answer.limits }),
    groups: t.field({
      type: [SimulatedGroup],
      description: 'The `topN` with the most refusals, then the highest cost, and one for the rest.',
      resolve: ({ question, answer }) => answer.groups.map((group) => ({ ...group, groupBy: question.definition.groupBy })),
    }),
  }),
});

const MOST_GROUPS = 50;
const LONGEST_MS = 400 * 86_400_000;

async function definitionOf(input: typeof SimulateInput.$inferInput, context: GraphqlContext): Promise<SimulatedDefinition> {
  const id = input.budgetId == null ? null : requireUuid('Budget', input.budgetId);
  if (id !== null && !allows(context.viewer.permissions, 'budget:read')) throw notFound();
  const [budget] = id === null ? [] : await context.registry.budgetsById([id]);
  if (id !== null && budget == null) throw notFound();
  const base = budget?.definition;
  const limits = input.limits?.map(limitOf) ?? base?.limits.map(({ unit, amount, window }) => ({ unit, amount, window }));
  if (limits === undefined) throw badInput('Give `limits`, or the `budgetId` of a budget that has some.');
  const onUnpricedModel = input.onUnpricedModel ?? base?.onUnpricedModel ?? 'block';
  return {
    limits,
    selector: input.selector?.map(conditionOf) ?? base?.selector ?? [],
    groupBy: input.groupBy?.map(keyOf) ?? base?.groupBy ?? [],
    onUnpricedModel,
    fallbackPrice:
      onUnpricedModel !== 'fallback' ? null : input.fallbackPrice == null ? (base?.fallbackPrice ?? null) : fallbackOf(input.fallbackPrice),
  };
}

builder.queryFields((t) => ({
  budgetSimulate: t.field({
    type: Simulation,
    description:
      'What a budget, or one that is only thought of, would have refused of the requests that were made. Nothing is changed by it.',
    authScopes: { permission: 'usage:read' },
    extensions: { cost: () => 200 },
    args: {
      input: t.arg({ type: SimulateInput, required: true }),
      range: t.arg({ type: TimeRange, required: true }),
      topN: t.arg.int({ required: true, defaultValue: 10, description: `1 to ${MOST_GROUPS}.` }),
    },
    resolve: async (_root, { input, range, topN }, context) => {
      if (topN < 1 || topN > MOST_GROUPS) throw badInput(`\`topN\` is from 1 to ${MOST_GROUPS}.`);
      const now = context.now();
      const to = range.to == null || range.to > now ? now : range.to;
      if (!(to > range.from)) throw badInput('`range.to` must be after `range.from`.');
      if (to.getTime() - range.from.getTime() > LONGEST_MS) throw badInput('A simulation is of at most 400 days.');
      const question = { definition: await definitionOf(input, context), from: range.from, to, topN };
      return { question, answer: await context.budgetSimulation.simulate(question) };
    },
  }),
}));
