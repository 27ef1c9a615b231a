/**
 * CloudEvents 1.0.2 in the Kafka binding's binary mode: attributes are headers, the value is the data, untouched.
 * @see reference/formats.md section 1
 */
export interface CloudEvent {
  /** Unique within `source`. Ours is the request id. */
  readonly id: string;
  /** URI reference of who wrote it. @see eventSource */
  readonly source: string;
  readonly type: string;
  /** Epoch milliseconds of the occurrence. */
  readonly timeMs: number;
  readonly subject: string;
  /** Equal to the record's key: the events of one key keep their order. */
  readonly partitionKey: string;
}

const SPEC_VERSION = '1.0';
const CONTENT_TYPE = 'application/json';

/** Source of the events of one boot of one proxy: with the event id it names the occurrence for ever. */
export function eventSource(node: string, epoch: number): string {
  return `/turnpike/proxy/${encodeURIComponent(node)}/${epoch}`;
}

/** Headers of a record that carries this event in binary mode. */
export function encodeCloudEvent(event: CloudEvent): Record<string, string> {
  return {
    'content-type': CONTENT_TYPE,
    ce_specversion: SPEC_VERSION,
    ce_id: event.id,
    ce_source: event.source,
    ce_type: event.type,
    ce_time: isoTime(event.timeMs),
    ce_subject: event.subject,
    ce_partitionkey: event.partitionKey,
  };
}

let lastSecond = Number.NaN;
let lastSecondText = '';

/** As `Date.toISOString`, which takes as long as printing half an event: only the milliseconds differ from one to the next. */
function isoTime(timeMs: number): string {
  const second = Math.floor(timeMs / 1_000);
  if (second !== lastSecond) {
    lastSecondText = new Date(second * 1_000).toISOString().slice(0, -'000Z'.length);
    lastSecond = second;
  }
  return `${lastSecondText}${String(Math.floor(timeMs) - second * 1_000).padStart(3, '0')}Z`;
}

/** The event of a record's headers, or null when they are not those of a CloudEvent in binary mode. Unknown extensions are passed over. */
export function parseCloudEvent(headers: Readonly<Record<string, string>>): CloudEvent | null {
  const contentType = headers['content-type']?.toLowerCase() ?? '';
  if (headers.ce_specversion !== SPEC_VERSION || contentType.startsWith('application/cloudevents')) return null;
  const { ce_id: id, ce_source: source, ce_type: type } = headers;
  const timeMs = Date.parse(headers.ce_time ?? '');
  if (!id || !source || !type || Number.isNaN(timeMs)) return null;
  return { id, source, type, timeMs, subject: headers.ce_subject ?? '', partitionKey: headers.ce_partitionkey ?? '' };
}
