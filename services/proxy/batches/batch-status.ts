import type { Fields } from '../body/json-fields.ts';
import { isFields, textOf } from '../body/json-fields.ts';

/** After which nothing of a batch changes any more. */
const OVER: ReadonlySet<string> = new Set(['completed', 'expired', 'cancelled', 'failed']);

/** Whether a batch is over, as its provider describes it. */
export function isOver(object: Fields): boolean {
  return OVER.has(textOf(object.status) ?? '');
}

/** The files that a batch has made, those of errors too. */
export function filesMade(object: Fields): readonly string[] {
  return [object.output_file_id, object.error_file_id].map(textOf).filter((id) => id !== null);
}

/** How many of its requests succeeded, hence are billed; null: it does not say. */
export function completedRequests(object: Fields): number | null {
  const counts = object.request_counts;
  return isFields(counts) && typeof counts.completed === 'number' ? counts.completed : null;
}
