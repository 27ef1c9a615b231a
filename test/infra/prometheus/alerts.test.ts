import { readFileSync } from 'node:fs';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { SendOutcome } from '../../../services/api/alerts/send-outcome.ts';
import { exposedByProcesses, seriesOf } from '../exposed-metrics.ts';

const Rules = Compile(
  Type.Object(
    {
      groups: Type.Array(
        Type.Object(
          {
            name: Type.String(),
            rules: Type.Array(
              Type.Object(
                {
                  alert: Type.String({ pattern: '^Turnpike[A-Za-z]+$' }),
                  expr: Type.String(),
                  for: Type.Optional(Type.String({ pattern: '^\\d+[mh]$' })),
                  labels: Type.Object(
                    { severity: Type.Union([Type.Literal('page'), Type.Literal('ticket')]) },
                    { additionalProperties: false },
                  ),
                  annotations: Type.Object({ summary: Type.String(), action: Type.String() }, { additionalProperties: false }),
                },
                { additionalProperties: false },
              ),
            ),
          },
          { additionalProperties: false },
        ),
      ),
    },
    { additionalProperties: false },
  ),
);
const { groups } = Rules.Parse(parse(readFileSync(new URL('../../../infra/prometheus/alerts.yaml', import.meta.url), 'utf8')));
const rules = groups.flatMap((group) => group.rules);

test('every metric an alert asks for is one that a process exposes, and a counter is asked for how fast it grows', async () => {
  const exposed = await exposedByProcesses();
  const known = new Set(exposed.flatMap(seriesOf));
  for (const { alert, expr } of rules) {
    const names = expr.match(/turnpike_[a-z0-9_]+/g) ?? [];
    expect([alert, names.length > 0, names.filter((name) => !known.has(name))]).toEqual([alert, true, []]);
    for (const name of names.filter((each) => each.endsWith('_total'))) expect(expr).toMatch(new RegExp(`(rate|increase)\\(${name}\\b`));
  }
});

test('every way a delivery can end that an alert names is one', () => {
  const ends = { delivered: true, failed: true, not_sent: true, gone: true } satisfies Record<SendOutcome['kind'], true>;
  const named = rules.flatMap(({ expr }) => [...expr.matchAll(/\{end=~?"([^"]+)"\}/g)].flatMap(([, values]) => values?.split('|') ?? []));
  expect(new Set(named)).toEqual(new Set(Object.keys(ends)));
});

test('alerts have names of their own and expressions that are whole', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { alert, expr } of rules) {
    for (const [open = '', close = ''] of ['()', '[]', '{}'].map((pair) => [...pair])) {
      expect(expr.split(open).length, alert).toBe(expr.split(close).length);
    }
    expect(expr, alert).toMatch(/ (>|<|==) /);
  }
});
