import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import { parts } from './parts.ts';
import { newWorld } from './play.ts';
import { scopes } from './scopes.ts';

describe('the lease protocol, explored breadth first over module and mirror', () => {
  for (const scope of scopes) {
    test(`holds in every state: ${scope.name}`, { timeout: 300_000 }, () => {
      const used = process.cpuUsage();
      const found = explore(newWorld(parts, scope), { parts, mostStates: scope.mostStates });
      const { user, system } = process.cpuUsage(used);
      console.log(
        `${scope.name}: ${found.states} states, ${found.transitions} transitions, ${Math.round((user + system) / 1_000)} ms of CPU`,
      );
      expect(found.breach).toBeNull();
    });
  }
});
