import { join } from 'node:path';
import { socketPath } from '../socket-path.ts';

/** Where the embedded event log lies under TURNPIKE_HOME: the ledger serves it there, proxies append to it there. */
export function embeddedPlaces(home: string): { readonly directory: string; readonly socketPath: string } {
  return { directory: join(home, 'eventlog'), socketPath: socketPath(home, 'eventlog.sock') };
}
