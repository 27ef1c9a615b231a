import type { Logger } from 'pino';
import { pino } from 'pino';
import type { LogLevel } from './environment.ts';

export type Log = Logger;

/**
 * Where a secret could stand in what is logged. A net below the rule that secrets are not handed to the log at all:
 * pino matches whole paths, so each name is listed at the depths at which headers and options occur.
 */
const secretNames = [
  'authorization',
  'api-key',
  'x-api-key',
  'apiKey',
  'cookie',
  'idempotency-key',
  'password',
  'secret',
  'masterKey',
  'databaseUrl',
  'databaseOwnerUrl',
  'credential',
];
const secretPaths = secretNames.flatMap((name) => ['', '*', 'req.headers', 'headers', '*.headers'].map((parent) => `${parent}["${name}"]`));

/**
 * A structured log: one JSON line per record on standard output. Nothing is lost when the process ends by itself; SIGKILL may cost
 * what was said in the last moments. Not for the hot path: no process writes a line per request.
 */
export function createLog(options: { readonly name: string; readonly level: LogLevel }): Log {
  return pino({
    name: options.name,
    level: options.level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: secretPaths, censor: '[redacted]' },
    serializers: { error: pino.stdSerializers.err, err: pino.stdSerializers.err },
  });
}
