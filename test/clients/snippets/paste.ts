import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Clients take their time to load on a machine that does much else. */
export const PASTE_TIMEOUT_MS = 240_000;

/** What code said when it was run in a folder, by name. */
export type Said = ReadonlyMap<string, string>;

type Pasted = { readonly name: string; readonly code: string };
type Place = { readonly folder: string; readonly key: string };

const environmentOf = ({ key }: Place) => ({ PATH: process.env.PATH, HOME: process.env.HOME, TURNPIKE_KEY: key });

/** Pastes one thing after the other into a shell. */
export async function pasteIntoShell(pasted: readonly Pasted[], place: Place): Promise<Said> {
  const said = new Map<string, string>();
  for (const { name, code } of pasted) {
    const { stdout } = await run('sh', ['-c', code], { cwd: place.folder, env: environmentOf(place), timeout: PASTE_TIMEOUT_MS });
    said.set(name, stdout);
  }
  return said;
}

/** Runs each as a file of its own in one process of Node, which strips its types and loads a client once. */
export function runWithNode(pasted: readonly Pasted[], place: Place): Promise<Said> {
  const runner = `for (const name of process.argv.slice(2)) {
  process.stdout.write(\`\\0\${name}\\0\`);
  await import(\`./\${name}.mts\`);
}`;
  return runFiles({ command: process.execPath, extension: 'mts', runner }, pasted, place);
}

/** Runs each as a file of its own in one process of Python. */
export function runWithPython(command: string, pasted: readonly Pasted[], place: Place): Promise<Said> {
  const runner = `import runpy, sys
for name in sys.argv[1:]:
    print(end=f"\\0{name}\\0")
    runpy.run_path(f"{name}.py", run_name="__main__")`;
  return runFiles({ command, extension: 'py', runner }, pasted, place);
}

async function runFiles(
  { command, extension, runner }: { readonly command: string; readonly extension: string; readonly runner: string },
  pasted: readonly Pasted[],
  place: Place,
): Promise<Said> {
  for (const { name, code } of pasted) await writeFile(join(place.folder, `${name}.${extension}`), code);
  const main = `run-all.${extension}`;
  await writeFile(join(place.folder, main), runner);
  const names = pasted.map(({ name }) => name);
  const { stdout } = await run(command, [main, ...names], { cwd: place.folder, env: environmentOf(place), timeout: PASTE_TIMEOUT_MS });
  const [, ...parts] = stdout.split('\0');
  return new Map(names.map((name, index) => [name, parts[2 * index + 1] ?? '']));
}
