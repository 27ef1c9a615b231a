import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { LogRecord, StoredRecord } from '../../schema/events/log-record.ts';
import { parseRequestSettled } from '../../schema/events/request-settled-parser.ts';

const Fact = Type.Object({
  requestId: Type.String(),
  apiKeyId: Type.String(),
  outcome: Type.String(),
  model: Type.Union([Type.String(), Type.Null()]),
  status: Type.Union([Type.Integer(), Type.Null()]),
  stream: Type.Boolean(),
  /** Exact, pico-USD. */
  costPico: Type.Union([Type.String(), Type.Null()]),
  input: Type.Union([Type.Integer(), Type.Null()]),
  output: Type.Union([Type.Integer(), Type.Null()]),
  attempts: Type.Integer(),
});

const Facts = Type.Object({
  version: Type.String(),
  topic: Type.Object({ name: Type.String(), partitions: Type.Integer() }),
  /** Of an installation that exists nowhere but in the fixture. */
  apiKey: Type.String(),
  /** That the database had, with the hashes of their files. */
  migrations: Type.Array(Type.Object({ name: Type.String(), sha256: Type.String() })),
  counts: Type.Object({ posted: Type.Integer(), logged: Type.Integer(), unsent: Type.Integer(), open: Type.Integer() }),
  /** Ids of the requests whose entries are in the database. */
  posted: Type.Array(Type.String()),
  /** Ids of the requests open in the spool, in order. */
  open: Type.Array(Type.String()),
  /** Settled in the spool and not known to be in the log, in order. */
  unsent: Type.Array(Fact),
  /** Every record of the embedded log, by partition and offset. */
  log: Type.Array(Type.Evaluate(Type.Intersect([Type.Object({ partition: Type.Integer(), offset: Type.String() }), Fact]))),
});

/** What an event said when its fixture was made, in the words of then. */
export type SettledFact = Static<typeof Fact>;

/** What a fixture holds, as its maker knew it. */
export type UpgradeFacts = Static<typeof Facts>;

const Dumped = Type.Object({
  partition: Type.Integer(),
  offset: Type.String(),
  key: Type.String(),
  headers: Type.Record(Type.String(), Type.String()),
  value: Type.String(),
});

/** The master key of the installations that fixtures are made from: a secret of nobody's. */
export const fixtureMasterKey = Buffer.alloc(32, 11);

const fixtures = fileURLToPath(new URL('../fixtures/upgrade', import.meta.url));

/** Versions with a fixture, the oldest first. */
export const fixtureVersions: readonly string[] = (await readdir(fixtures, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort((left, right) => left.localeCompare(right, 'en', { numeric: true }));

/** One version's fixture. What is on disk there is never opened in place: a process would write into it. */
export async function readFixture(version: string) {
  const folder = join(fixtures, version);
  const unpacked = async (name: string): Promise<string> => gunzipSync(await readFile(join(folder, name))).toString('utf8');
  const topic = await unpacked('topic.jsonl.gz');
  return {
    facts: Value.Parse(Facts, JSON.parse(await readFile(join(folder, 'facts.json'), 'utf8'))),
    databaseSql: await unpacked('database.sql.gz'),
    topic: topic
      .trimEnd()
      .split('\n')
      .map((line): StoredRecord => {
        const { offset, value, ...record } = Value.Parse(Dumped, JSON.parse(line));
        return { ...record, offset: BigInt(offset), value: Buffer.from(value, 'utf8') };
      }),
    /** A folder of the fixture's, to be copied before anything opens it. */
    folderOf: (name: 'spool' | 'eventlog'): string => join(folder, name),
  };
}

/** What today's parser reads in a record. @throws Error where it is not an event. */
export function factOf(record: LogRecord): SettledFact {
  const parsed = parseRequestSettled(record);
  if (!parsed.ok) throw new Error(`not an event: ${parsed.reason} ${parsed.detail}`);
  const { requestId, apiKeyId, outcome, model, status, stream, costPico, usage, attempts } = parsed.event;
  return {
    requestId,
    apiKeyId,
    outcome,
    model,
    status,
    stream,
    costPico,
    input: usage?.input ?? null,
    output: usage?.output ?? null,
    attempts: attempts.length,
  };
}
