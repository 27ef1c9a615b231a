import type { PriceSheet } from '../../pricing/price-sheet.ts';
import type { CatalogProvider } from '../../registry/catalog/catalog.ts';
import { LineSplitter } from '../body/line-splitter.ts';
import type { AccountCalls } from '../files/account-calls.ts';
import { PROVIDERS } from '../providers/registry.ts';
import type { BatchSum } from './batch-sums.ts';
import { BatchSums } from './batch-sums.ts';
import { readOutputLine } from './output-line.ts';

/** Longest line of an output file that is read; what a longer one used is not known. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** What an output file says was used, line by line as it comes. @throws where it does not come to its end. */
export async function readOutput(
  calls: AccountCalls,
  account: CatalogProvider,
  fileId: string,
  sheet: PriceSheet | null,
): Promise<readonly BatchSum[]> {
  const provider = PROVIDERS[account.provider.protocol];
  const sums = new BatchSums(sheet);
  const lines = new LineSplitter(MAX_LINE_BYTES);
  const take = (line: Buffer | null): void => {
    const used = readOutputLine(line, provider);
    if (used !== null) sums.add(used);
  };
  const { body } = await calls.open(account, { method: 'GET', path: `/files/${encodeURIComponent(fileId)}/content`, headers: [] });
  for await (const chunk of body) for (const line of lines.push(chunk)) take(line);
  take(lines.rest());
  return sums.all();
}
