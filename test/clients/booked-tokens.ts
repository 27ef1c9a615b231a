import type { RequestSettled } from '../../schema/events/request-settled.v1.ts';
import { INPUT_CLASSES, OUTPUT_CLASSES, sumClasses } from '../../schema/values/token-usage.ts';

/** What an entry counts, summed as clients are told it; null where it has no usage. */
export function bookedTokens({ usage }: RequestSettled): { readonly input: number | null; readonly output: number | null } | null {
  return usage === null ? null : { input: sumClasses(usage, INPUT_CLASSES), output: sumClasses(usage, OUTPUT_CLASSES) };
}
