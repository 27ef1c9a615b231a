import type { FaultDone } from './fault-done.ts';
import type { Sample } from './sampler.ts';

/** What is drawn. */
export type Picture = {
  readonly title: string;
  readonly loadMs: number;
  readonly samples: readonly Sample[];
  readonly faults: readonly FaultDone[];
};

const width = 1_200;
const left = 150;
const right = 20;
const panel = 130;
const lane = 13;
const gap = 42;

type Scale = (atMs: number) => number;

/** A picture of load, faults and lag over time: SVG. */
export function drawReport({ title, loadMs, samples, faults }: Picture): string {
  const endMs = Math.max(loadMs, ...samples.map(({ atMs }) => atMs), ...faults.map(({ untilMs }) => untilMs), 1);
  const x: Scale = (atMs) => left + (atMs / endMs) * (width - left - right);
  const lanes = [...new Set(faults.map(({ where }) => where))].sort();
  const parts: string[] = [];
  let top = 50;

  const chart = (
    title: string,
    series: readonly { readonly name: string; readonly color: string; readonly values: readonly number[] }[],
  ): void => {
    const most = Math.max(1, ...series.flatMap(({ values }) => values));
    const y = (value: number): number => top + panel - (value / most) * panel;
    parts.push(
      text(left, top - 8, title, 'start', 12),
      text(left - 6, top + 10, String(Math.round(most)), 'end'),
      text(left - 6, top + panel, '0', 'end'),
    );
    parts.push(`<rect x="${left}" y="${top}" width="${width - left - right}" height="${panel}" fill="none" stroke="#ccc"/>`);
    for (const [index, { name, color, values }] of series.entries()) {
      const points = values.map((value, at) => `${x(samples[at]?.atMs ?? 0).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
      parts.push(`<polyline points="${points}" fill="none" stroke="${color}" stroke-width="1.3"/>`);
      parts.push(text(width - right - 4, top + 14 + 14 * index, name, 'end', 11, color));
    }
    top += panel + gap;
  };

  chart('requests a second', [
    { name: 'answered', color: '#1a7f37', values: samples.map(({ answered }) => answered) },
    { name: 'failed', color: '#cf222e', values: samples.map(({ failed }) => failed) },
    { name: 'under way', color: '#888888', values: samples.map(({ inFlight }) => inFlight) },
  ]);
  parts.push(text(left, top - 8, 'faults', 'start', 12));
  for (const [index, name] of lanes.entries()) {
    const at = top + index * lane;
    parts.push(text(left - 6, at + 10, name, 'end', 10));
    parts.push(`<line x1="${left}" y1="${at + lane}" x2="${width - right}" y2="${at + lane}" stroke="#eeeeee"/>`);
    for (const fault of faults.filter(({ where }) => where === name)) {
      const from = x(fault.atMs);
      const length = Math.max(3, x(fault.untilMs) - from);
      const color = fault.skipped === null ? '#bf8700' : '#dddddd';
      const told = escaped(
        `${fault.what}${fault.skipped === null ? '' : ` (skipped: ${fault.skipped})`}, ${Math.round(fault.atMs / 100) / 10} s`,
      );
      parts.push(
        `<rect x="${from.toFixed(1)}" y="${at + 2}" width="${length.toFixed(1)}" height="${lane - 4}" fill="${color}"><title>${told}</title></rect>`,
      );
      parts.push(text(from + length + 2, at + 10, fault.what, 'start', 8, '#777777'));
    }
  }
  top += lanes.length * lane + gap;
  chart('seconds from an answer to requestTail', [
    { name: 'oldest not shown', color: '#0969da', values: samples.map(({ lagMs }) => lagMs / 1_000) },
  ]);
  chart('slowest answer of a second, in seconds', [
    { name: 'slowest', color: '#8250df', values: samples.map(({ slowestMs }) => slowestMs / 1_000) },
  ]);
  chart('settlements in the spools', [{ name: 'unsent', color: '#953800', values: samples.map(({ unsent }) => unsent ?? 0) }]);

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}" font-family="sans-serif">`,
    `<rect width="${width}" height="${top}" fill="#ffffff"/>`,
    text(left, 22, title, 'start', 15),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function text(x: number, y: number, words: string, anchor: 'start' | 'end', size = 10, color = '#333333'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" font-size="${size}" fill="${color}">${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
