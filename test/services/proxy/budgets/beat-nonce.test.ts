import { expect, test } from 'vitest';
import { createBeatNonce } from '../../../../services/proxy/budgets/beat-nonce.ts';
import { createEntropy } from '../../../../services/proxy/settlement/entropy.ts';

test('two machines that were one draw the same bytes, and name their beats differently all the same', () => {
  const random = { bytes: (length: number) => Buffer.alloc(length, 7), fraction: () => 0 };
  let nowMs = 5_000;
  const original = createBeatNonce(createEntropy(random), { monotonic: () => nowMs });
  const copy = createBeatNonce(createEntropy(random), { monotonic: () => nowMs + 0.000_25 });
  const names = new Set<string>();
  for (let beat = 0; beat < 1_000; beat += 1) {
    nowMs += 1_000;
    names.add(original()).add(copy());
  }
  expect(names.size).toBe(2_000);
});
