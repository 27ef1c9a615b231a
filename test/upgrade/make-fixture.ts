import { randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import { embeddedPlaces } from '../../services/eventlog/embedded/places.ts';
import { isSequenced, readLedger } from '../e2e/ledger-rows.ts';
import { activeCalls, readProviderBooks } from '../e2e/provider-books.ts';
import type { Answer } from '../e2e/traffic.ts';
import { createTraffic } from '../e2e/traffic.ts';
import { endHome } from '../harness/end-home.ts';
import { eventually } from '../harness/eventually.ts';
import type { Product } from '../harness/product.ts';
import { askGraphql, startProduct } from '../harness/product.ts';
import { createTemporaryHome } from '../harness/temporary-home.ts';
import { dumpDatabase } from './dump-database.ts';
import type { UpgradeFacts } from './fixture.ts';
import { factOf, fixtureMasterKey } from './fixture.ts';
import { readLogFolder, readSpoolFolder } from './read-state.ts';

/**
 * Makes `test/fixtures/upgrade/<version>` from the product as it is, once, when a version is released: `node test/upgrade/make-fixture.ts`.
 * A fixture that is there is never made again (its README says why), so this refuses to.
 */

const Created = Type.Object({ apiKeyCreate: Type.Object({ secret: Type.String(), errors: Type.Array(Type.Unknown()) }) });
const Manifest = Type.Object({ version: Type.String() });

/** Requests that everything knows of; that only the log knows of; that only the spool knows of. */
const posted = 24;
const logged = 6;
const unsent = 5;
const open = 2;
/** Sockets' paths are of the machine the fixture was made on; a path that is nowhere says the same: the owner is gone. */
const nowhere = '/nonexistent/turnpike-upgrade-fixture.lock';

const project = fileURLToPath(new URL('../..', import.meta.url));
const { version } = Value.Parse(Manifest, JSON.parse(await readFile(join(project, 'package.json'), 'utf8')));
const folder = join(project, 'test', 'fixtures', 'upgrade', version);
// Fails where it exists: before anything else is done.
await mkdir(folder);
const temporary = await createTemporaryHome();
try {
  const facts = await make(temporary.path, folder);
  await writeFile(join(folder, 'facts.json'), `${JSON.stringify(facts, null, 1)}\n`);
  console.log(`${folder}: ${JSON.stringify({ ...facts.counts })}`);
} catch (error) {
  await rm(folder, { recursive: true, force: true });
  throw error;
} finally {
  await endHome(temporary.path);
  await temporary.remove();
}

async function make(home: string, target: string): Promise<UpgradeFacts> {
  const product = await startProduct({ home, environment: { TURNPIKE_MASTER_KEY: fixtureMasterKey.toString('base64') } });
  const { endpoints } = product;
  const keys = [endpoints.demoKey, await createKey(product, 'one'), await createKey(product, 'two')];
  const traffic = keys.map((demoKey) => createTraffic({ ...endpoints, demoKey }));
  const answers: Answer[] = [];
  let next = 0;
  const send = async (count: number): Promise<void> => {
    // Not the index alone: what an index asks for repeats every twenty.
    for (const end = next + count; next < end; next += 1) {
      const answer = await traffic[Math.floor(next / 2) % traffic.length]?.send(next);
      if (answer !== undefined) answers.push(answer);
    }
  };
  const database = await product.database();
  /** Waits until everything that an application or the provider knows of is booked. */
  const settle = async (): Promise<void> => {
    await eventually(async () => (await activeCalls(endpoints.simUrl)) === 0, 30_000);
    const called = (await readProviderBooks(endpoints.simUrl)).map(({ requestId }) => requestId);
    const known = new Set([...called, ...answers.map(({ requestId }) => requestId)].filter((id) => id !== null));
    await eventually(async () => {
      const booked = new Set((await readLedger(database)).map(({ requestId }) => requestId));
      return [...known].every((id) => booked.has(id)) && (await isSequenced(database));
    }, 60_000);
  };

  // Each start of the ledger begins a segment of the embedded log.
  for (const part of [0, 1, 2]) {
    await send(posted / 3);
    await settle();
    if (part < 2) {
      const before = await product.kill('ledger', 'SIGKILL');
      await eventually(async () => (await product.pidOf('ledger')) !== before);
    }
  }
  const dump = await dumpDatabase(database.db);
  await writeFile(join(target, 'database.sql.gz'), gzipSync(dump.sql, { level: 9 }));
  const ledger = await readLedger(database);
  const postedIds = ledger.map(({ requestId }) => requestId);

  await send(logged);
  await settle();
  const loggedIds = (await readLedger(database)).map(({ requestId }) => requestId).filter((id) => !postedIds.includes(id));

  await product.kill('ledger', 'SIGSTOP');
  next = 0;
  await send(unsent);
  // Answers that never end: requests that are open when everything dies.
  const openIds = await Promise.all(Array.from({ length: open }, () => openStream(endpoints.proxyUrl, keys[1] ?? '')));
  await endHome(home);

  const spool = join(target, 'spool');
  const eventlog = join(target, 'eventlog');
  await copyState(join(home, 'proxy', 'spool'), spool);
  await copyState(embeddedPlaces(home).directory, eventlog);

  const inSpool = await readSpoolFolder(spool);
  const inLog = await readLogFolder(eventlog);
  await writeFile(
    join(target, 'topic.jsonl.gz'),
    gzipSync(
      inLog
        .map(
          ({ partition, offset, key, headers, value }) =>
            `${JSON.stringify({ partition, offset: String(offset), key, headers, value: value.toString('utf8') })}\n`,
        )
        .join(''),
      { level: 9 },
    ),
  );
  const facts: UpgradeFacts = {
    version,
    topic: { name: REQUESTS_TOPIC.name, partitions: REQUESTS_TOPIC.partitions },
    apiKey: endpoints.demoKey,
    migrations: [...dump.migrations],
    counts: { posted: postedIds.length, logged: loggedIds.length, unsent: inSpool.unsent.length, open: openIds.length },
    posted: postedIds.sort(),
    open: inSpool.orphans.map(({ requestId }) => requestId),
    unsent: inSpool.unsent.map(factOf),
    log: inLog.map((record) => ({ partition: record.partition, offset: String(record.offset), ...factOf(record) })),
  };
  if (facts.open.length !== open || facts.unsent.length < unsent) throw new Error(`the spool holds ${JSON.stringify(facts.counts)}`);
  return facts;
}

async function createKey(product: Product, name: string): Promise<string> {
  const { apiKeyCreate } = await askGraphql({
    endpoints: product.endpoints,
    schema: Created,
    query: 'mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { secret errors { message } } }',
    variables: { input: { idempotencyKey: randomUUID(), name, allowedModels: ['sim/*'] } },
  });
  return apiKeyCreate.secret;
}

/** Asks for an answer that takes minutes and gives its id once it has begun. */
async function openStream(proxyUrl: string, key: string): Promise<string> {
  const response = await fetch(`${proxyUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'sim/stall-mid', stream: true, messages: [{ role: 'user', content: 'and so on' }] }),
  });
  // Its end is the proxy's death, which is what it is for.
  void response.arrayBuffer().catch(() => {});
  return response.headers.get('x-request-id') ?? '';
}

/** A folder as it lay on disk, without its sockets (`run`) and with no path of this machine in it. */
async function copyState(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, filter: (source) => basename(source) !== 'run' });
  for (const entry of await readdir(to, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name.startsWith('epoch-')) await writeFile(join(entry.parentPath, entry.name), nowhere);
  }
}
