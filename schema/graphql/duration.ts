/** Durations of the API: ISO 8601 with days, hours, minutes and seconds, which all have a fixed length. Months and years do not. */
const shape = /^P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10})(?:\.(\d{1,3}))?S)?)?$/;
const dayMs = 86_400_000;

/** Milliseconds of `PT1S`, `P7D`, `PT1H30M`. @throws RangeError for anything else, months and years included. */
export function parseDurationMs(text: string): number {
  const match = shape.exec(text);
  if (match === null || text.endsWith('T') || text === 'P') {
    throw new RangeError(`expected an ISO 8601 duration such as PT30S or P7D, found ${JSON.stringify(text.slice(0, 40))}`);
  }
  const [, weeks = '0', days = '0', hours = '0', minutes = '0', seconds = '0', fraction = ''] = match;
  return (
    Number(weeks) * 7 * dayMs +
    Number(days) * dayMs +
    Number(hours) * 3_600_000 +
    Number(minutes) * 60_000 +
    Number(seconds) * 1_000 +
    Number(fraction.padEnd(3, '0'))
  );
}

/** Shortest form: 90,000 is `PT1M30S`. Fractions of a millisecond are kept to the microsecond. */
export function formatDuration(durationMs: number): string {
  const micros = Math.round(durationMs * 1_000);
  const wholeSeconds = Math.floor(micros / 1_000_000);
  const days = Math.floor(wholeSeconds / 86_400);
  const hours = Math.floor((wholeSeconds % 86_400) / 3_600);
  const minutes = Math.floor((wholeSeconds % 3_600) / 60);
  const fraction = (micros % 1_000_000).toString().padStart(6, '0').replace(/0+$/, '');
  const seconds = `${wholeSeconds % 60}${fraction === '' ? '' : `.${fraction}`}`;
  const date = days === 0 ? '' : `${days}D`;
  const time = `${hours === 0 ? '' : `${hours}H`}${minutes === 0 ? '' : `${minutes}M`}${seconds === '0' ? '' : `${seconds}S`}`;
  if (date === '' && time === '') return 'PT0S';
  return `P${date}${time === '' ? '' : `T${time}`}`;
}
