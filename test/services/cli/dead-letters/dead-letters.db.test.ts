import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { Type } from 'typebox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StoredRecord } from '../../../../schema/events/log-record.ts';
import { idFromUuid } from '../../../../schema/values/ids.ts';
import type { AskApi } from '../../../../services/cli/api/ask-api.ts';
import { createAskApi } from '../../../../services/cli/api/ask-api.ts';
import type { DiscardOptions } from '../../../../services/cli/dead-letters/discard-dead-letters.ts';
import { discardDeadLetters } from '../../../../services/cli/dead-letters/discard-dead-letters.ts';
import type { ListOptions } from '../../../../services/cli/dead-letters/list-dead-letters.ts';
import { listDeadLetters } from '../../../../services/cli/dead-letters/list-dead-letters.ts';
import type { RetryOptions } from '../../../../services/cli/dead-letters/retry-dead-letters.ts';
import { retryDeadLetters } from '../../../../services/cli/dead-letters/retry-dead-letters.ts';
import type { ShowOptions } from '../../../../services/cli/dead-letters/show-dead-letter.ts';
import { showDeadLetter } from '../../../../services/cli/dead-letters/show-dead-letter.ts';
import { createLedgerMetrics } from '../../../../services/ledger/ledger-metrics.ts';
import type { Redrive } from '../../../../services/ledger/redrive.ts';
import { startRedrive } from '../../../../services/ledger/redrive.ts';
import { createPostgresDeadLetterStore } from '../../../../services/ledger/store/postgres/postgres-dead-letter-store.ts';
import { createPostgresLedgerStore } from '../../../../services/ledger/store/postgres/postgres-ledger-store.ts';
import { systemClock } from '../../../../services/runtime/clock.ts';
import { systemRandom } from '../../../../services/runtime/random.ts';
import { keepDeadLetter } from '../../../harness/dead-letters.ts';
import type { TestApi } from '../../../harness/graphql.ts';
import { startTestApi } from '../../../harness/graphql.ts';
import { inheritedVariables } from '../../../harness/inherited-variables.ts';
import { silentLog } from '../../ledger/posting.ts';
import { addTestPrice, recordOf, settledEvent } from '../../ledger/settled-records.ts';

const main = fileURLToPath(new URL('../../../../services/cli/main.ts', import.meta.url));
let api: TestApi;
let redrive: Redrive | null = null;
let variables: Record<string, string>;
let organizationId: string;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'tp-'));
  api = await startTestApi();
  await addTestPrice(api.database.writer.db);
  const tenant = await api.makeTenant('operated');
  ({ organizationId } = tenant);
  const { secret } = await api.makeKey(organizationId, ['*', 'installation:admin']);
  variables = { TURNPIKE_API_URL: api.server.url, TURNPIKE_ADMIN_KEY: secret, TURNPIKE_HOME: home };
});
afterAll(async () => {
  await redrive?.stop();
  await api[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

/** The ledger's part, in this process. */
function runLedger(): void {
  const { db } = api.database.writer;
  redrive = startRedrive({
    letters: createPostgresDeadLetterStore({ db, clock: systemClock, random: systemRandom }),
    store: createPostgresLedgerStore(api.database.writer),
    clock: systemClock,
    log: silentLog,
    metrics: createLedgerMetrics(new Registry()),
    onPosted: () => {},
    everyMs: 20,
  });
}

type Run = { readonly exit: number | null; readonly text: string; readonly errors: string };

/** The command as a person runs it, in a process of its own: a second or so each. */
async function turnpike(args: readonly string[], more: Record<string, string> = {}): Promise<Run> {
  const child = spawn(process.execPath, [main, 'deadletters', ...args], {
    env: { ...inheritedVariables(), ...variables, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, errors]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (part: Buffer) => out.push(part));
  child.stderr.on('data', (part: Buffer) => errors.push(part));
  const [exit] = await once(child, 'close');
  return { exit: typeof exit === 'number' ? exit : null, text: Buffer.concat(out).toString(), errors: Buffer.concat(errors).toString() };
}

/** What a subcommand prints, run in this process over real HTTP. */
async function printed(work: (reach: Parameters<typeof retryDeadLetters>[3] & { ask: AskApi }) => Promise<unknown>): Promise<string> {
  const lines: string[] = [];
  const ask = createAskApi({ graphqlUrl: api.graphqlUrl, adminKey: variables.TURNPIKE_ADMIN_KEY ?? '' });
  await work({ ask, now: Date.now, mintKey: randomUUID, print: (text) => lines.push(text) });
  return lines.join('\n');
}
const list = (options: Partial<ListOptions>): Promise<string> =>
  printed(({ ask, now, print }) => listDeadLetters(ask, { state: 'open,retrying', limit: '50', ...options }, now(), print));
const show = (id: string, options: ShowOptions = {}): Promise<string> =>
  printed(({ ask, print }) => showDeadLetter(ask, id, options, { print, write: (bytes) => print(bytes.toString('latin1')) }));
const retry = (ids: readonly string[], options: Partial<RetryOptions> = {}): Promise<string> =>
  printed(async ({ ask, ...reach }) => {
    const all = await retryDeadLetters(ask, ids, { wait: '30', ...options }, reach);
    reach.print(all ? 'all posted' : 'not all posted');
  });
const discard = (ids: readonly string[], options: Partial<DiscardOptions> = {}): Promise<string> =>
  printed(({ ask, ...reach }) => discardDeadLetters(ask, ids, { because: 'a test', ...options }, reach));

const keep = (letter: Partial<Parameters<typeof keepDeadLetter>[1]> = {}): Promise<string> =>
  keepDeadLetter(api.database.writer.db, { organization_id: organizationId, ...letter });
/** A letter whose event is sound: what made it dead is gone. */
const keepSound = (reason: string): Promise<string> => {
  const record: StoredRecord = recordOf(settledEvent({ organizationId: idFromUuid('organization', organizationId) }), { offset: 0n });
  return keep({ reason, record_key: record.key, headers: record.headers, value: record.value });
};
const dlt = (uuid: string): string => idFromUuid('deadLetter', uuid);

test('list shows the open ones, narrowed by reason, organization and time, as a table or as JSON', async () => {
  const [own, nobodys] = [await keep({ reason: 'listed' }), await keep({ reason: 'listed', organization_id: null })];
  const lines = (await list({ reason: 'listed,unheard_of' })).split('\n');
  expect(lines[0]).toMatch(/^ID +STATE +RECORDED +REASON +ORGANIZATION +BYTES +DETAIL$/);
  expect(lines.slice(1).map((line) => line.split(/ +/)[0])).toEqual([dlt(nobodys), dlt(own)]);

  const json: unknown = JSON.parse(await list({ reason: 'listed', organization: 'none', since: '10m', json: true }));
  expect(json).toMatchObject([{ id: dlt(nobodys), state: 'OPEN', reason: 'listed', organizationId: null, size: 1 }]);
  await expect(list({ reason: 'listed', since: '2099-01-01T00:00:00Z' })).resolves.toBe('No dead letters.');
  await expect(list({ reason: 'listed', limit: '1' })).resolves.toContain('There are more than these 1');
});

test('show gives reason, place, headers and bytes, nothing that can harm a terminal, and personal data only when asked', async () => {
  const value = Buffer.from('\u001b[2J{"a":1}');
  const id = dlt(await keep({ value, headers: { 'x\u001b': 'y', tp_subject: '{"endUser":"somebody else"}' } }));
  const shown = await show(id);
  expect(shown).toContain('reason        unparseable');
  expect(shown).toContain(String.raw`\x1b[2J{"a":1}`);
  expect(shown).not.toContain('\u001b');
  expect(shown).not.toContain('somebody');
  await expect(show(id, { subject: true })).resolves.toContain('somebody');
  await expect(show(id, { raw: true })).resolves.toBe(value.toString('latin1'));
  const json: unknown = JSON.parse(await show(id, { json: true }));
  expect(json).toMatchObject({ id, value: value.toString('base64'), hasSubject: true });
  expect(json).not.toHaveProperty('subject');
});

test('retry waits until each is in the books or open again, and says which', async () => {
  const [sound, never] = [dlt(await keepSound('retried')), dlt(await keep({ reason: 'retried' }))];
  await expect(retry([sound], { wait: '0' })).resolves.toBe(`${sound}  queued: no ledger has taken it yet\nnot all posted`);

  runLedger();
  const [first, second, verdict] = (await retry([sound, never])).split('\n');
  expect(first).toMatch(new RegExp(`^${sound}  posted as req_`));
  expect(second).toBe(`${never}  open again: wrong_type, headers are not those of a CloudEvent in binary mode`);
  expect(verdict).toBe('not all posted');
  // Asking again for what is posted changes nothing and is no failure.
  await expect(retry([sound])).resolves.toMatch(/posted as req_.*\nall posted$/);

  const more = await Promise.all(Array.from({ length: 3 }, () => keepSound('mended')));
  const fates = [...more]
    .sort()
    .map((uuid) => ({ id: dlt(uuid), outcome: 'posted', requestId: expect.any(String), reason: null, detail: null }));
  const [json = '', done] = (await retry([], { reason: 'mended', json: true })).split('\nall');
  expect([JSON.parse(json), done]).toEqual([fates, ' posted']);
  await expect(retry([], { reason: 'mended' })).resolves.toBe('No open dead letter matches.\nall posted');
});

test('discard says what it did, and the bytes are gone', async () => {
  const id = dlt(await keep());
  await expect(discard([id], { because: 'sent by a load test' })).resolves.toBe(`${id}  discarded`);
  await expect(show(id, { raw: true })).rejects.toThrow(/are gone: it was discarded. They were 1, with the SHA-256 [0-9a-f]{64}/);
  await expect(list({ state: 'discarded' })).resolves.toContain('sent by a load test');
  await expect(discard([id])).resolves.toBe(`${id}  refused: This dead letter was discarded: its bytes are gone.`);
});

test('an act on nothing in particular is refused, and mistakes are told', async () => {
  await expect(retry([])).rejects.toThrow('Which? Give ids');
  await expect(discard([])).rejects.toThrow('Which? Give ids');
  await expect(retry(['dlt_x'], { all: true })).rejects.toThrow('Give ids or a filter, not both.');
  await expect(list({ since: 'yesterday' })).rejects.toThrow('--since: expected');
  await expect(list({ state: 'lost' })).rejects.toThrow('--state: expected');
  await expect(list({ organization: 'acme' })).rejects.toThrow('--organization: expected org_');
  await expect(show('key_no')).rejects.toThrow('Expected the id of a DeadLetter');
  await expect(show(dlt('01900000-0000-7000-8000-000000000000'))).rejects.toThrow('There is no such object.');
});

test('as commands: help with lines to run, exit codes that say whether all was done, no stack, and never the key', async () => {
  const [help, refused] = [await turnpike(['--help']), await turnpike(['retry', '--help'])];
  for (const word of ['list', 'show', 'retry', 'discard', 'States: open']) expect(help.text).toContain(word);
  expect(refused.text).toContain('turnpike deadletters retry --reason');

  const id = dlt(await keep());
  const unsaid = await turnpike(['discard', id]);
  expect([unsaid.exit, unsaid.errors]).toEqual([1, expect.stringContaining('--because')]);
  expect(await turnpike(['discard', id, '--because', 'x'])).toEqual({ exit: 0, text: `${id}  discarded\n`, errors: '' });
  expect((await turnpike(['retry', id])).exit).toBe(1);

  const key = `tpk_adm_test_${'0'.repeat(57)}`;
  const unknown = await turnpike(['list'], { TURNPIKE_ADMIN_KEY: key });
  expect([unknown.exit, unknown.errors]).toEqual([1, expect.stringContaining('missing, unknown, expired or revoked')]);
  for (const { errors } of [unsaid, unknown]) expect(errors).not.toMatch(/\n +at |0{57}/);
});

test('no API and something that is no API are told apart', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const address = closed.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  closed.close();
  const asking = (graphqlUrl: string) => createAskApi({ graphqlUrl, adminKey: 'tpk_adm_x' })(Type.Object({}), '{ viewer { name } }');
  await expect(asking(`http://127.0.0.1:${port}/graphql`)).rejects.toThrow(
    /^No API answers at http:\/\/127\.0\.0\.1:\d+\/graphql: ECONNREFUSED/,
  );
  await expect(asking(`${api.server.url}/healthz`)).rejects.toThrow('is no GraphQL API of turnpike');
});
