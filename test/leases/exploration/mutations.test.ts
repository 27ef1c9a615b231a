import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import { mutations } from './mutations.ts';
import { parts } from './parts.ts';
import { newWorld } from './play.ts';

describe('the exploration finds each deliberate mistake', () => {
  for (const { name, change, scope, walked } of mutations) {
    if (walked === true) continue;
    test(name, { timeout: 300_000 }, () => {
      const mutated = { ...parts, ...change };
      const { breach } = explore(newWorld(mutated, scope), { parts: mutated, mostStates: scope.mostStates });
      expect(breach?.what ?? 'nothing was found').toMatch(/^I[1-6]: /);
    });
  }
});
