import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { Disk, DiskFile } from '../disk.ts';

/** Events the event log will never take, as JSON lines, for a person to look at. The file is made with the first of them. */
export interface RejectedFile {
  /** Durable when it resolves. */
  add(requestId: string, record: LogRecord, reason: string, atMs: number): Promise<void>;
  /** Counts against the spool's bound, so that a flood of them is noticed. */
  readonly bytes: number;
  close(): Promise<void>;
}

const FILE_NAME = /^rejected-\d+\.jsonl$/;

/** How many events of a spool's folder the event log has refused for good; each is one line. */
export async function countRejected(directory: string): Promise<number> {
  let count = 0;
  for (const name of (await readdir(directory)).filter((candidate) => FILE_NAME.test(candidate))) {
    const text = await readFile(join(directory, name), 'utf8');
    count += text.split('\n').filter((line) => line !== '').length;
  }
  return count;
}

/** One file a boot: `rejected-<epoch>.jsonl`. */
export function createRejectedFile(options: { readonly disk: Disk; readonly directory: string; readonly epoch: number }): RejectedFile {
  let file: DiskFile | null = null;
  let bytes = 0;

  return {
    async add(requestId, record, reason, atMs) {
      if (file === null) {
        file = await options.disk.create(join(options.directory, `rejected-${options.epoch}.jsonl`));
        await options.disk.syncDirectory(options.directory);
      }
      const { key, partition, headers, value } = record;
      const fields = { at: new Date(atMs).toISOString(), requestId, reason, key, partition, headers, value: value.toString('base64') };
      const line = Buffer.from(`${JSON.stringify(fields)}\n`);
      file.write(line, bytes);
      await file.sync();
      bytes += line.length;
    },
    get bytes() {
      return bytes;
    },
    close: async () => file?.close(),
  };
}
