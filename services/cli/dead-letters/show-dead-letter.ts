import { PlainFailure } from '../../runtime/start-refusal.ts';
import type { AskApi } from '../api/ask-api.ts';
import type { WholeDeadLetter } from './dead-letter.ts';
import { readWholeDeadLetter } from './dead-letter.ts';
import { printable, readableBytes } from './printable.ts';

export type ShowOptions = { readonly subject?: true; readonly raw?: true; readonly json?: true };

/** Bytes of a value that are shown; most events are smaller. */
const shownBytes = 4_096;

/** `turnpike deadletters show`. */
export async function showDeadLetter(
  ask: AskApi,
  id: string,
  options: ShowOptions,
  out: { readonly print: (text: string) => void; readonly write: (bytes: Buffer) => void },
): Promise<void> {
  const letter = await readWholeDeadLetter(ask, id, options.subject === true);
  if (options.raw === true) {
    if (letter.value === null)
      throw new PlainFailure(`The bytes of ${id} are gone: it was ${letter.state.toLowerCase()}. ${whatRemains(letter)}`);
    out.write(Buffer.from(letter.value, 'base64'));
    return;
  }
  out.print(options.json === true ? JSON.stringify(letter, null, 2) : describe(letter));
}

function whatRemains({ size, sha256 }: WholeDeadLetter): string {
  return `They were ${size}, with the SHA-256 ${sha256}.`;
}

function describe(letter: WholeDeadLetter): string {
  const lines: readonly (readonly [string, string | null])[] = [
    ['id', letter.id],
    ['state', letter.state.toLowerCase()],
    ['reason', letter.reason],
    ['detail', letter.detail],
    ['organization', letter.organizationId ?? 'none could be read'],
    ['stood at', `${letter.topic}, partition ${letter.partition}, offset ${letter.offset}`],
    ['recorded', letter.recordedAt],
    ['retries', letter.retries === 0 ? null : `${letter.retries}, the latest ended ${letter.retriedAt}`],
    ['retry found', letter.retryReason === null ? null : `${letter.retryReason}: ${letter.retryDetail ?? ''}`],
    ['closed', letter.closedAt],
    ['booked as', letter.requestId],
    ['discarded', letter.discardReason],
    ['key', letter.key],
    ...letter.headers.map(({ name, value }) => ['header', `${name}: ${value}`] as const),
    ['personal', personal(letter)],
    ['sha256', letter.sha256],
    ['size', `${letter.size} bytes`],
  ];
  const text = lines.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(13)} ${printable(value)}`])).join('\n');
  if (letter.value === null) return text;
  return `${text}\nvalue\n${readableBytes(Buffer.from(letter.value, 'base64'), shownBytes)}`;
}

function personal({ hasSubject, subject }: WholeDeadLetter): string | null {
  if (!hasSubject) return null;
  return subject === undefined ? 'it carries personal data (--subject shows it)' : (subject ?? 'gone');
}
