import { readFileSync } from 'node:fs';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { exposedByProcesses, seriesOf } from '../exposed-metrics.ts';

const Dashboard = Compile(
  Type.Object({
    panels: Type.Array(
      Type.Object({
        id: Type.Integer(),
        title: Type.String(),
        type: Type.String(),
        gridPos: Type.Object({ h: Type.Integer(), w: Type.Integer(), x: Type.Integer(), y: Type.Integer() }),
        targets: Type.Optional(Type.Array(Type.Object({ refId: Type.String(), expr: Type.String() }))),
      }),
    ),
    templating: Type.Object({ list: Type.Array(Type.Object({ name: Type.String(), definition: Type.Optional(Type.String()) })) }),
  }),
);
const dashboard = Dashboard.Parse(JSON.parse(readFileSync(new URL('../../../infra/grafana/turnpike.json', import.meta.url), 'utf8')));
const expressions = dashboard.panels.flatMap(({ title, targets }) => (targets ?? []).map(({ expr }) => ({ title, expr })));

/** What prom-client tells of Node itself. */
const ofRuntime = /^turnpike_(nodejs|process)_/;

test('every metric the dashboard asks for is one that a process exposes', async () => {
  const known = new Set((await exposedByProcesses()).flatMap(seriesOf));
  const asked = [...expressions.map(({ expr }) => expr), ...dashboard.templating.list.map(({ definition }) => definition ?? '')];
  const names = new Set(asked.flatMap((text) => text.match(/turnpike_[a-z0-9_]+/g) ?? []));
  expect(names.size).toBeGreaterThan(25);
  expect([...names].filter((name) => !known.has(name))).toEqual([]);
});

test('every figure of our own is on the dashboard, or is known to be left out', async () => {
  // What tells nothing by itself, or only where another panel has already raised the question.
  const leftOut = [
    'turnpike_spool_writable',
    'turnpike_ledger_fenced_total',
    'turnpike_ledger_batch_records',
    'turnpike_ledger_sequencing_seconds',
    'turnpike_ledger_alerts_total',
  ];
  const ours = (await exposedByProcesses()).filter(({ name }) => !ofRuntime.test(name));
  const shown = expressions.map(({ expr }) => expr).join('\n');
  const missing = ours.filter(({ name }) => !new RegExp(`\\b${name}(_bucket)?\\{`).test(shown)).map(({ name }) => name);
  expect(missing.sort()).toEqual(leftOut.sort());
});

test('names say what they measure: counters end in _total, times in _seconds, sizes in _bytes', async () => {
  const exposed = await exposedByProcesses();
  for (const { name, type } of exposed) {
    expect(name).toMatch(/^turnpike_[a-z0-9_]+$/);
    expect(name, 'base units only').not.toMatch(/_(ms|milliseconds|minutes|kb|mb)(_|$)/);
    if (type === 'counter') expect(name).toMatch(/_total$/);
    // prom-client names some gauges of the runtime so.
    else if (!ofRuntime.test(name)) expect(name).not.toMatch(/_total$/);
  }
});

test('expressions are whole: rates over the scrape interval, brackets in pairs, panels beside and not upon each other', () => {
  for (const { title, expr } of expressions) {
    for (const [open, close] of ['()', '[]', '{}'].map((pair) => [...pair])) {
      expect(expr.split(open ?? '').length, `${title}: ${expr}`).toBe(expr.split(close ?? '').length);
    }
    for (const range of expr.match(/\[[^\]]+\]/g) ?? []) expect(['[$__rate_interval]', '[$__range]'], title).toContain(range);
  }
  const cells = dashboard.panels.flatMap(({ gridPos: { h, w, x, y } }) =>
    Array.from({ length: h * w }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
});
