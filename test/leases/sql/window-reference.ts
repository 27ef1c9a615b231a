/** A local time, as milliseconds of the same figures in UTC. */
export type Wall = number;

export type CalendarKind = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clocks of a zone show at an instant, by the platform's own calendar. */
function wallAt(instant: number, zone: string): Wall {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US-u-ca-iso8601', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(instant)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((instant % 1000) + 1000) % 1000);
}

const offsetAt = (instant: number, zone: string): number => wallAt(instant, zone) - instant;

/** Instants between two at which the offset changes, to the second; two changes within a day are not told apart. */
export function changesOfClocks(from: number, until: number, zone: string): number[] {
  const changes: number[] = [];
  for (let at = from; at < until; at += dayMs) {
    let before = at;
    let after = Math.min(at + dayMs, until);
    if (offsetAt(before, zone) === offsetAt(after, zone)) continue;
    const old = offsetAt(before, zone);
    while (after - before > 1000) {
      const middle = before + Math.floor((after - before) / 2000) * 1000;
      if (offsetAt(middle, zone) === old) before = middle;
      else after = middle;
    }
    changes.push(after);
  }
  return changes;
}

/** The first instant at which the clocks show this, tried with every offset around; one that they skip counts by the offset before the change. */
function instantOf(wall: Wall, zone: string): number {
  const [from, until] = [wall - 2 * dayMs, wall + 2 * dayMs];
  const changes = changesOfClocks(from, until, zone);
  const offsets = [from, ...changes].map((at) => offsetAt(at, zone));
  const shown = offsets.map((offset) => wall - offset).filter((instant) => wallAt(instant, zone) === wall);
  if (shown.length > 0) return Math.min(...shown);
  const skipping = changes.find((change) => wallAt(change - 1000, zone) < wall && wall < wallAt(change, zone));
  if (skipping === undefined) throw new Error(`${new Date(wall).toISOString()} is neither shown nor skipped in ${zone}`);
  return wall - offsetAt(skipping - 1000, zone);
}

/** The nth window's beginning by the local calendar; a day that its month does not have is the month's last. */
function beginning(kind: CalendarKind, anchor: Wall, n: number): Wall {
  if (kind === 'day') return anchor + n * dayMs;
  if (kind === 'week') return anchor + n * 7 * dayMs;
  const months = n * (kind === 'month' ? 1 : kind === 'quarter' ? 3 : 12);
  const start = new Date(anchor);
  const [year, month] = [start.getUTCFullYear(), start.getUTCMonth() + months];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return Date.UTC(year, month, Math.min(start.getUTCDate(), lastDay)) + (anchor % dayMs);
}

/** The window that an instant is in, found by listing windows. @returns its beginning and its end. */
export function referenceWindow(
  kind: CalendarKind,
  zone: string,
  anchor: Wall,
  at: number,
): { readonly starts: number; readonly ends: number } {
  if (kind === 'minute' || kind === 'hour') {
    const length = kind === 'minute' ? minuteMs : hourMs;
    const since = at - instantOf(anchor, zone);
    const starts = at - (((since % length) + length) % length);
    return { starts, ends: starts + length };
  }
  const length = { day: 1, week: 7, month: 30.436875, quarter: 91.310625, year: 365.2425 }[kind] * dayMs;
  const about = Math.round((at - anchor) / length);
  const beginnings = [-3, -2, -1, 0, 1, 2, 3].map((step) => instantOf(beginning(kind, anchor, about + step), zone));
  const starts = beginnings.findLast((instant) => instant <= at);
  const ends = beginnings.find((instant) => instant > at);
  if (starts === undefined || ends === undefined) throw new Error('the window is not among those listed');
  return { starts, ends };
}
