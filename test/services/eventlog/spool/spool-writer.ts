import { REQUESTS_TOPIC } from '../../../../schema/events/topics.ts';
import { openSpool } from '../../../../services/eventlog/spool/open-spool.ts';
import { createLog } from '../../../../services/runtime/log.ts';

/**
 * The child of the crash tests: settles requests as fast as it can and reports each callback on standard output, so that what
 * it was told can be held against what the disk has after `kill -9`. `node spool-writer.ts <folder> <durability>`.
 */
const [directory = '', durability = 'group'] = process.argv.slice(2);
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const spool = await openSpool({
  directory,
  durability: durability === 'strict' ? 'strict' : 'group',
  segmentBytes: 64 * 1024,
  log: createLog({ name: 'spool-writer', level: 'silent' }),
  // Never acknowledges, so that every closed record must still be there.
  sender: { producer: { append: () => new Promise(() => {}), close: async () => {} }, topic: REQUESTS_TOPIC },
});
const { epoch } = spool.state();
for (const { requestId } of spool.orphans) say(`orphan ${requestId}`);
say(`ready ${epoch}`);

let count = 0;
function next(): void {
  const requestId = `req_${epoch}_${++count}`;
  const stays = count % 10 === 0;
  const accepted = spool.open(requestId, `draft of ${requestId}`, () => {
    say(`open ${requestId}`);
    if (stays) return;
    const event = { key: 'key_a', partition: 3, headers: { ce_id: requestId }, value: Buffer.alloc(300, requestId) };
    spool.close(requestId, event, () => say(`close ${requestId}`));
  });
  if (!accepted) say(`refused ${requestId}`);
  setImmediate(next);
}
for (let index = 0; index < 4; index++) next();
