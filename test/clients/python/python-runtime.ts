import { execFileSync } from 'node:child_process';

/** The interpreter that tests use: the one of TURNPIKE_TEST_PYTHON, else the machine's. */
export const PYTHON = process.env.TURNPIKE_TEST_PYTHON ?? 'python3';

/** Why code that imports the modules cannot run here; null where it can. */
export function pythonLacks(modules: readonly string[]): string | null {
  const missing = `import importlib.util as u, sys
print(",".join(m for m in sys.argv[1:] if not u.find_spec(m.split(".")[0]) or not u.find_spec(m)))`;
  try {
    const named = execFileSync(PYTHON, ['-c', missing, ...modules], { encoding: 'utf8', stdio: 'pipe', timeout: 60_000 }).trim();
    return named === '' ? null : `${PYTHON} has no ${named}: pip install it, or name another interpreter in TURNPIKE_TEST_PYTHON`;
  } catch (error) {
    return `${PYTHON} does not run: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  }
}
