import { join } from 'node:path';
import { REQUESTS_TOPIC } from '../../../../schema/events/topics.ts';
import { createEmbeddedLogServer } from '../../../../services/eventlog/embedded/server.ts';
import { createLog } from '../../../../services/runtime/log.ts';

/** An embedded log in a process of its own, so that a test can kill it. `node embedded-server-process.ts <folder>`. */
const [directory = ''] = process.argv.slice(2);
await createEmbeddedLogServer({
  directory,
  socketPath: join(directory, 'log.sock'),
  topics: [REQUESTS_TOPIC],
  segmentBytes: 100_000,
  log: createLog({ name: 'embedded-server', level: 'silent' }),
});
process.stdout.write('ready\n');
