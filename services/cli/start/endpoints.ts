import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** What `endpoints.json` holds: where everything is, and the two keys to begin with (DESIGN, "Two ways to run"). */
const Endpoints = Type.Object({
  proxyUrl: Type.String(),
  graphqlUrl: Type.String(),
  graphqlWsUrl: Type.String(),
  consoleUrl: Type.String(),
  simUrl: Type.String(),
  adminKey: Type.String(),
  demoKey: Type.String(),
});
export type Endpoints = Static<typeof Endpoints>;

/** The two keys that only this file knows in clear. */
export type InstallationKeys = Pick<Endpoints, 'adminKey' | 'demoKey'>;

const compiled = Compile(Endpoints);

/** The addresses that clients use, from where proxy, api and simulator listen (origins such as `http://127.0.0.1:4000`). */
export function composeEndpoints(
  origins: { readonly proxy: string; readonly api: string; readonly simulator: string },
  keys: InstallationKeys,
): Endpoints {
  const api = reachable(origins.api);
  return {
    proxyUrl: `${reachable(origins.proxy)}/v1`,
    graphqlUrl: `${api}/graphql`,
    graphqlWsUrl: `${api.replace(/^http/, 'ws')}/graphql`,
    consoleUrl: `${api}/`,
    simUrl: reachable(origins.simulator),
    adminKey: keys.adminKey,
    demoKey: keys.demoKey,
  };
}

/** Who listens on every address is reached on this machine by the loopback one. */
function reachable(origin: string): string {
  return origin.replace('//0.0.0.0', '//127.0.0.1').replace('//[::]', '//[::1]');
}

/** The file of an earlier start, or null where it is lost or is not what we write: then new keys are made. */
export async function readEndpoints(home: string): Promise<Endpoints | null> {
  try {
    const value: unknown = JSON.parse(await readFile(pathIn(home), 'utf8'));
    return compiled.Check(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error && error.code === 'ENOENT')) return null;
    throw error;
  }
}

/** Writes the file, readable for its owner alone, whole or not at all. Synced: with it the keys would be lost. */
export async function writeEndpoints(home: string, endpoints: Endpoints): Promise<void> {
  const draft = `${pathIn(home)}.draft`;
  const file = await open(draft, 'w', 0o600);
  try {
    // The draft may be a leftover with another mode.
    await file.chmod(0o600);
    await file.writeFile(`${JSON.stringify(endpoints, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, pathIn(home));
}

function pathIn(home: string): string {
  return join(home, 'endpoints.json');
}
