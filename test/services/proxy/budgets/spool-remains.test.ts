import { expect, test } from 'vitest';
import { judgeBoots } from '../../../../services/proxy/budgets/spool-remains.ts';

const boot = (epoch: number, machineBoot: string | null, clean = false) => ({ epoch, machineBoot, clean });

test.each([
  ['none before', [], { torn: [], moved: false }],
  ['killed under this boot of the machine', [boot(1, 'now')], { torn: [], moved: false }],
  ['stopped in order under another', [boot(1, 'before', true)], { torn: [], moved: false }],
  ['gone with another boot of the machine', [boot(1, 'before')], { torn: [1], moved: true }],
  ['gone before one that was killed under this boot', [boot(1, 'before'), boot(2, 'now')], { torn: [1], moved: false }],
  ['of a version that leased nothing', [boot(1, null)], { torn: [], moved: false }],
])('an owner before: %s', (_what, boots, remains) => {
  expect(judgeBoots(boots, { machineBoot: 'now', durability: 'group', soleMachine: false })).toEqual(remains);
});

test('what is synced before anything goes out is not torn, and where nobody else can have the folder nobody is waited for', () => {
  const boots = [boot(1, 'before')];
  expect(judgeBoots(boots, { machineBoot: 'now', durability: 'strict', soleMachine: false })).toEqual({ torn: [], moved: true });
  expect(judgeBoots(boots, { machineBoot: 'now', durability: 'group', soleMachine: true })).toEqual({ torn: [1], moved: false });
});
