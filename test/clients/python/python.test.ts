import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { bookedTokens } from '../booked-tokens.ts';
import { startSimulatedWorld } from '../simulated-world.ts';
import { PYTHON, pythonLacks } from './python-runtime.ts';
import { toldBy } from './told-by.ts';

const run = promisify(execFile);
/** Clients take their time to load on a machine that does much else. */
const timeoutMs = 240_000;

const scripts = [
  { client: 'openai', packages: ['openai>=3'], answers: 3 },
  { client: 'anthropic', packages: ['anthropic>=2'], answers: 2 },
  { client: 'langchain', packages: ['langchain-openai>=1'], answers: 1 },
].map((script) => ({ ...script, missing: pythonLacks(script.packages) }));

for (const { client, missing, answers } of scripts) {
  test(`${client} works unmodified from Python${missing === null ? '' : ` (${missing})`}`, { timeout: timeoutMs }, async (context) => {
    context.skip(missing !== null, missing ?? '');
    await using world = await startSimulatedWorld();
    const script = fileURLToPath(new URL(`${client}-client.py`, import.meta.url));
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, TURNPIKE_URL: world.proxy.url, TURNPIKE_KEY: world.proxy.key };
    const { stdout } = await run(PYTHON, [script], { env, timeout: timeoutMs });
    const told = toldBy(stdout);
    expect(told).toHaveLength(answers);
    for (const [requestId, input, output] of told) {
      const event = await world.proxy.eventOf(requestId);
      expect(event.outcome).toBe('succeeded');
      expect(bookedTokens(event)).toMatchObject({ input, output });
    }
  });
}
