/**
 * ISO 8601 durations of fixed length: weeks, days, hours, minutes and seconds. Months and years are refused, because how
 * long they are depends on where they start.
 */
const PATTERN = /^P(?:(\d{1,6})W|(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,11})(?:[.,](\d{1,3}))?S)?)?)$/;

/** Milliseconds of a duration such as `PT1M30S`, or null when the text is none. */
export function parseDurationMs(text: string): number | null {
  const match = PATTERN.exec(text);
  if (match === null || text === 'P' || text.endsWith('T')) return null;
  const [weeks, days, hours, minutes, seconds] = match.slice(1, 6).map((part) => Number(part ?? 0));
  const milliseconds = Number((match[6] ?? '').padEnd(3, '0'));
  return ((((weeks ?? 0) * 7 + (days ?? 0)) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60_000 + (seconds ?? 0) * 1_000 + milliseconds;
}

/** The duration in ISO 8601, e.g. 90_000 is `PT1M30S`. @param milliseconds not negative. */
export function formatDuration(milliseconds: number): string {
  const total = Math.round(milliseconds);
  const days = Math.floor(total / 86_400_000);
  const hours = Math.floor(total / 3_600_000) % 24;
  const minutes = Math.floor(total / 60_000) % 60;
  const seconds = (total % 60_000) / 1_000;
  const time = `${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${seconds > 0 ? `${seconds}S` : ''}`;
  if (days === 0 && time === '') return 'PT0S';
  return `P${days > 0 ? `${days}D` : ''}${time === '' ? '' : `T${time}`}`;
}
