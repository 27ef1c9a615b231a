import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LedgerEntryInsert } from '../../../services/journal/entry-columns.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, usageEntry } from '../../harness/graphql-books.ts';

let api: TestApi;
let tenant: TestTenant;
/** Yesterday, so that it lies in a partition that there is. */
const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
const entry = (time: string, more: Partial<LedgerEntryInsert> = {}): LedgerEntryInsert =>
  usageEntry(tenant.organizationId, { occurred_at: new Date(`${day}T${time}Z`), ...more });

beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.makeTenant('acme');
  await book(api.database.writer.db, [
    entry('09:00:00', { cost: 4_000_000_000_000n, tags: { app: 'shop' } }),
    entry('09:30:00', { cost: 4_000_000_000_000n, tags: { app: 'shop' } }),
    entry('10:00:00', { cost: 4_000_000_000_000n, tags: { app: 'blog' } }),
    entry('10:10:00', { cost: 3_000_000_000_000n, tags: { app: 'shop' } }),
    entry('10:20:00', { cost: null, unrated: 'orphaned', outcome: 'orphaned', tags: { app: 'shop' } }),
    entry('10:30:00', { cost: 0n, outcome: 'rejected', tags: { app: 'shop' } }),
    entry('10:40:00', { cost: 2_000_000_000_000n, tags: { app: 'shop' } }),
  ]);
});
afterAll(() => api[Symbol.asyncDispose]());

const fields = `countedFrom seenTo truncated unknown refusedThen totals { requests refused cost { amount } refusedCost { amount } firstRefusedAt }
  limits { refused peak windows { startsAt endsAt used peak refused } windowsLeftOut }
  groups { group { dimension tagKey value } requests refused cost { amount } }`;

interface Answer {
  readonly [field: string]: unknown;
}

async function simulate(input: string, range = `from: "${day}T00:00:00Z", to: "${day}T12:00:00Z"`): Promise<Answer> {
  const { data, errors } = await api.ask<{ budgetSimulate: Answer }>(
    tenant.adminKey,
    `{ budgetSimulate(input: { ${input} }, range: { ${range} }) { ${fields} } }`,
  );
  expect(errors).toBeUndefined();
  return data?.budgetSimulate ?? {};
}

const instant = (time: string): string => `${day}T${time}.000000Z`;
const daily = 'limits: [{ unit: USD, amount: "10", window: { kind: DAY } }]';

test('what a budget would have refused, when first, and what was used in each window, by group', async () => {
  expect(await simulate(`${daily}, groupBy: [{ dimension: TAG, tagKey: "app" }]`)).toEqual({
    countedFrom: instant('00:00:00'),
    seenTo: instant('12:00:00'),
    truncated: false,
    unknown: 1,
    refusedThen: 1,
    totals: { requests: 6, refused: 1, cost: { amount: '14' }, refusedCost: { amount: '3' }, firstRefusedAt: instant('10:10:00') },
    limits: [
      {
        refused: 1,
        peak: '10',
        windows: [{ startsAt: instant('00:00:00'), endsAt: expect.any(String), used: '14', peak: '10', refused: 1 }],
        windowsLeftOut: 0,
      },
    ],
    groups: [
      { group: [{ dimension: 'TAG', tagKey: 'app', value: 'shop' }], requests: 5, refused: 1, cost: { amount: '10' } },
      { group: [{ dimension: 'TAG', tagKey: 'app', value: 'blog' }], requests: 1, refused: 0, cost: { amount: '4' } },
    ],
  });
});

test('what was used of a window before the range counts and is not reported', async () => {
  const late = `from: "${day}T10:05:00Z", to: "${day}T12:00:00Z"`;
  expect(await simulate(daily, late)).toMatchObject({
    countedFrom: instant('00:00:00'),
    totals: { requests: 3, refused: 1, firstRefusedAt: instant('10:10:00') },
  });
  const rolling = await simulate('limits: [{ unit: USD, amount: "10", window: { kind: ROLLING, length: "PT1H" } }]', late);
  expect(rolling).toMatchObject({ totals: { refused: 1, firstRefusedAt: instant('10:10:00') }, limits: [{ peak: '8', windows: [] }] });
  // A lifetime begins with the range.
  expect(await simulate('limits: [{ unit: USD, amount: "3", window: { kind: LIFETIME } }]', late)).toMatchObject({
    countedFrom: instant('10:05:00'),
    totals: { refused: 1, firstRefusedAt: instant('10:40:00') },
  });
});

test('an existing budget is simulated as it is, or with what is given in its place; a definition that could be none is refused', async () => {
  const { data } = await api.ask<{ budgetCreate: { budget: { id: string } } }>(
    tenant.adminKey,
    `mutation { budgetCreate(input: { idempotencyKey: "b", name: "B", enforcement: ENFORCE, ${daily},
      selector: [{ dimension: TAG, tagKey: "app", in: ["blog"] }] }) { budget { id } } }`,
  );
  const budgetId = `budgetId: "${data?.budgetCreate.budget.id}"`;
  expect(await simulate(budgetId)).toMatchObject({ totals: { requests: 1, refused: 0 } });
  expect(await simulate(`${budgetId}, limits: [{ unit: REQUESTS, amount: "0", window: { kind: HOUR } }]`)).toMatchObject({
    totals: { requests: 1, refused: 1 },
    limits: [{ windows: [{ startsAt: instant('10:00:00'), endsAt: instant('11:00:00'), refused: 1 }] }],
  });
  const refused = async (input: string): Promise<unknown> => {
    const { errors } = await api.ask(
      tenant.adminKey,
      `{ budgetSimulate(input: { ${input} }, range: { from: "${day}T00:00:00Z" }) { truncated } }`,
    );
    return errors?.[0]?.extensions?.code;
  };
  expect(await refused('')).toBe('BAD_USER_INPUT');
  expect(await refused('limits: [{ unit: USD, amount: "1", window: { kind: DAY, zone: "Nowhere/Atlantis" } }]')).toBe('BAD_USER_INPUT');
});
