import { describe, expect, test } from 'vitest';
import { partitionOf } from '../../services/eventlog/partition.ts';
import { settleOrphanDraft } from '../../services/proxy/settlement/orphan-draft.ts';
import { factOf, fixtureVersions, readFixture } from './fixture.ts';
import { readLogFolder, readSpoolFolder } from './read-state.ts';

describe.each(fixtureVersions)('what version %s left on disk', (version) => {
  test('its spool: requests left open become orphans of their own, and what was not sent is sent, once and in order', async () => {
    const { facts, folderOf } = await readFixture(version);
    const { orphans, unsent } = await readSpoolFolder(folderOf('spool'));
    expect(orphans.map(({ requestId }) => requestId)).toEqual(facts.open);
    for (const { requestId, draft } of orphans) {
      expect(settleOrphanDraft(draft)?.event).toMatchObject({ requestId, outcome: 'orphaned', costPico: null, provider: 'sim' });
    }
    expect(unsent.map(factOf)).toEqual(facts.unsent);
    // The acknowledged ones stand in the same files.
    const sent = new Set(facts.log.map(({ requestId }) => requestId));
    expect(unsent.filter((record) => sent.has(factOf(record).requestId))).toEqual([]);
  });

  test('its embedded log: every record is at its offset, to the byte', async () => {
    const { facts, folderOf, topic } = await readFixture(version);
    const records = await readLogFolder(folderOf('eventlog'));
    expect(records).toEqual(topic);
    expect(records.map((record) => ({ partition: record.partition, offset: String(record.offset), ...factOf(record) }))).toEqual(facts.log);
    expect(new Set(records.map(({ partition }) => partition)).size).toBeGreaterThan(1);
  });

  test('its records: each is read as what it said then, and its key still belongs to its partition', async () => {
    const { facts, topic } = await readFixture(version);
    expect(topic.map(factOf)).toEqual(facts.log.map(({ partition: _partition, offset: _offset, ...fact }) => fact));
    for (const { key, partition } of topic) expect(partitionOf(key, facts.topic.partitions)).toBe(partition);
  });
});
