import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Writes a report's three shapes into a folder, made where it is missing. @returns the folder. */
export async function writeReport(
  out: string,
  report: { readonly text: string; readonly json: unknown; readonly svg: string },
): Promise<string> {
  const folder = resolve(out);
  await mkdir(folder, { recursive: true });
  const json = JSON.stringify(report.json, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value), 2);
  await Promise.all([
    writeFile(join(folder, 'report.txt'), `${report.text}\n`),
    writeFile(join(folder, 'report.json'), `${json}\n`),
    writeFile(join(folder, 'report.svg'), report.svg),
  ]);
  return folder;
}
