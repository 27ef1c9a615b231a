/**
 * Instants of the API: RFC 3339 in UTC with microseconds. Rows hold milliseconds; a bound given more finely is rounded up,
 * which keeps `>= bound` and `< bound` exact.
 */
const shape = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|z|[+-]\d{2}:\d{2})$/;
const dateShape = /^\d{4}-\d{2}-\d{2}$/;

/** `2026-11-21T07:40:00.123000Z`. */
export function formatInstant(instant: Date): string {
  return `${instant.toISOString().slice(0, -1)}000Z`;
}

/** @throws RangeError where the text is no RFC 3339 instant. */
export function parseInstant(text: string): Date {
  const match = shape.exec(text);
  const fraction = (match?.[7] ?? '').padEnd(9, '0');
  const whole = match === null ? Number.NaN : Date.parse(`${text.slice(0, 19).toUpperCase()}${match[8]?.toUpperCase()}`);
  if (Number.isNaN(whole) || new Date(whole).getUTCFullYear() > 9999) {
    throw new RangeError(`expected an RFC 3339 instant such as 2026-11-21T07:40:00.123456Z, found ${JSON.stringify(text.slice(0, 40))}`);
  }
  // Date.parse takes 30 February for 2 March; an instant that does not exist is a mistake, not another instant.
  const day = Number(match?.[3]);
  if (day > new Date(Date.UTC(Number(match?.[1]), Number(match?.[2]), 0)).getUTCDate())
    throw new RangeError(`no such day: ${text.slice(0, 10)}`);
  return new Date(whole + Math.ceil(Number(fraction) / 1_000_000));
}

/** @throws RangeError where the text is no date of the calendar, `2026-11-21`. */
export function parseDate(text: string): string {
  const time = dateShape.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text) {
    throw new RangeError(`expected a date such as 2026-11-21, found ${JSON.stringify(text.slice(0, 40))}`);
  }
  return text;
}
