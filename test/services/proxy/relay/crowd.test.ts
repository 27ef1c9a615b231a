import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCrowd } from '../../../../services/proxy/relay/crowd.ts';

test('holds exactly those who came and did not leave, also when somebody leaves twice', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 9 })), { maxLength: 60 }), (steps) => {
      const people = Array.from({ length: 10 }, (_, name) => ({ name, crowdPosition: -1 }));
      const crowd = createCrowd<(typeof people)[number]>();
      const expected = new Set<number>();
      for (const [comes, name] of steps) {
        const person = people[name];
        if (person === undefined || (comes && expected.has(name))) continue;
        if (comes) {
          crowd.add(person);
          expected.add(name);
        } else {
          crowd.delete(person);
          expected.delete(name);
        }
      }
      expect(
        crowd
          .members()
          .map((person) => person.name)
          .sort(),
      ).toEqual([...expected].sort());
    }),
  );
});
