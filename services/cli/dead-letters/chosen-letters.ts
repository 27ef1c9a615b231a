import { PlainFailure } from '../../runtime/start-refusal.ts';
import type { AskApi } from '../api/ask-api.ts';
import type { Filter, State } from './dead-letter.ts';
import { findDeadLetters } from './dead-letter.ts';

/** Options that say which letters are meant, as they were typed. */
export type FilterOptions = { readonly reason?: string; readonly organization?: string; readonly since?: string };
/** For acts on many: without any filter, `all` says that all are meant. */
export type ChoiceOptions = FilterOptions & { readonly all?: true };

/** Most letters of one command; more take another. */
const mostLetters = 10_000;
const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** @throws PlainFailure where an option cannot be read. */
export function parseFilter(options: FilterOptions, states: readonly State[], nowMs: number): Filter {
  const { reason, organization, since } = options;
  if (organization !== undefined && organization !== 'none' && !organization.startsWith('org_')) {
    throw new PlainFailure(`--organization: expected org_… or none, found ${JSON.stringify(organization)}`);
  }
  return {
    states,
    reasons: reason === undefined ? null : listOf(reason),
    organization: organization ?? null,
    since: since === undefined ? null : parseSince(since, nowMs),
  };
}

/** What is written with commas between. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function parseSince(text: string, nowMs: number): string {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const timeMs =
    count === undefined ? Date.parse(text) : nowMs - Number(count) * (unit === 'm' ? units.m : unit === 'h' ? units.h : units.d);
  if (!Number.isNaN(timeMs) && Math.abs(timeMs) < 8.64e15) return new Date(timeMs).toISOString();
  throw new PlainFailure(`--since: expected 30m, 12h, 7d or an instant such as 2026-11-21T10:00:00Z, found ${JSON.stringify(text)}`);
}

/**
 * Ids that an act is for: those that were given, or of the open letters all that the filter lets through, oldest first.
 * @throws PlainFailure where it is not said which are meant.
 */
export async function chooseLetters(
  ask: AskApi,
  ids: readonly string[],
  options: ChoiceOptions,
  nowMs: number,
): Promise<{ readonly ids: readonly string[]; readonly more: boolean }> {
  const filtered = options.reason !== undefined || options.organization !== undefined || options.since !== undefined;
  if (ids.length > 0) {
    if (filtered || options.all === true) throw new PlainFailure('Give ids or a filter, not both.');
    return { ids: [...new Set(ids)], more: false };
  }
  if (!filtered && options.all !== true) throw new PlainFailure('Which? Give ids, or --reason, --organization, --since, or --all.');
  const filter = parseFilter(options, ['OPEN'], nowMs);
  const { letters, more } = await findDeadLetters(ask, filter, { limit: mostLetters, oldestFirst: true });
  return { ids: letters.map(({ id }) => id), more };
}
