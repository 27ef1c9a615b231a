import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSegment } from '../../../../services/eventlog/segments/segment.ts';
import { createOpenRequests } from '../../../../services/eventlog/spool/open-requests.ts';
import type { OpenRequest } from '../../../../services/eventlog/spool/spool-recovery.ts';

const segment = createSegment(1, 'none', 0, null);
const request = (sequence: number): OpenRequest => ({ draft: '', place: { segment, position: 0, length: 0, sequence } });

test('is what a map would be, whatever is opened and closed, ids of one bucket included', () => {
  const id = fc.oneof(
    fc.nat({ max: 30 }).map((number) => `req_${number}`),
    fc.constantFrom('a-same', 'b-same', 'c-same', ''),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('open', 'close'), id), { maxLength: 80 }), (steps) => {
      const map = new Map<string, OpenRequest>();
      const table = createOpenRequests(map);
      for (const [index, [step, requestId]] of steps.entries()) {
        if (step === 'close') {
          map.delete(requestId);
          table.delete(requestId);
        } else if (!map.has(requestId)) {
          const opened = request(index);
          map.set(requestId, opened);
          table.add(requestId, opened);
        }
        expect(table.size).toBe(map.size);
        expect(table.get(requestId)).toBe(map.get(requestId));
      }
      expect(new Map(table.entries())).toEqual(map);
    }),
  );
});
