import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Report } from './workload.ts';

const readme = fileURLToPath(new URL('./README.md', import.meta.url));

/** A report as Markdown. */
export function reportAsMarkdown(report: Report): string {
  const [header = [], ...rows] = report.table;
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const problems =
    report.problems.length === 0 ? [] : ['', '**This run does not count:**', '', ...report.problems.map((one) => `- ${one}`)];
  return [
    `### ${report.workload}: ${report.title}`,
    '',
    ...report.conditions.map((condition) => `- ${condition}`),
    ...problems,
    '',
    line(header),
    line(header.map((_, column) => (column === 0 ? '---' : '--:'))),
    ...rows.map(line),
    '',
  ].join('\n');
}

/** Puts a report into README.md, in place of the workload's last one. */
export async function writeReport(report: Report, day: string): Promise<void> {
  const [from, to] = [`<!-- ${report.workload} -->`, `<!-- /${report.workload} -->`];
  const text = await readFile(readme, 'utf8');
  const [start, end] = [text.indexOf(from), text.indexOf(to)];
  if (start < 0 || end < start) throw new Error(`README.md has no place for it: ${from} … ${to}`);
  const section = `${from}\n\n${reportAsMarkdown(report).replace('\n\n', `\n\nMeasured ${day}.\n\n`)}\n`;
  await writeFile(readme, text.slice(0, start) + section + text.slice(end));
}
