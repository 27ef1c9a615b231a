import { pino } from 'pino';
import type { Log } from '../../services/runtime/log.ts';
import type { Trace } from './trace.ts';

/** A process's log, as lines of the run's trace: what the product says is part of what it did. */
export function createRunLog(trace: Trace, name: () => string): Log {
  return pino(
    {
      level: 'info',
      base: null,
      timestamp: false,
      serializers: { error: (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)) },
    },
    { write: (line: string) => trace.add(`${name()} says ${line.trimEnd()}`) },
  );
}
