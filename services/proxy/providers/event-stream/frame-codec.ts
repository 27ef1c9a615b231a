import { createRequire } from 'node:module';
import type { EventStreamCodec } from '@smithy/core/event-streams';

const require = createRequire(import.meta.url);
let codec: EventStreamCodec | null = null;

/** AWS's own reading and writing of frames. Loaded with the first stream: most installations have no such provider, and it costs each start a tenth of a second. */
export function frameCodec(): EventStreamCodec {
  if (codec !== null) return codec;
  const library: typeof import('@smithy/core/event-streams') = require('@smithy/core/event-streams');
  codec = new library.EventStreamCodec(
    (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')),
    (text) => Buffer.from(text, 'utf8'),
  );
  return codec;
}
