import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Log } from '../../services/runtime/log.ts';

/** A log whose lines a test can read. */
export function recordingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return Object.assign(pino({ level: 'debug', serializers: { error: pino.stdSerializers.err } }, stream), { lines });
}
