import { execFileSync } from 'node:child_process';

/** The interpreter that tests use: the one of TURNPIKE_TEST_PYTHON, else the machine's. */
export const PYTHON = process.env.TURNPIKE_TEST_PYTHON ?? 'python3';

const lacking = `
import sys
from importlib.metadata import PackageNotFoundError, version

def lacks(wanted):
    name, _, major = wanted.partition(">=")
    try:
        return int(version(name).split(".")[0]) < int(major or 0)
    except PackageNotFoundError:
        return True

print(" ".join(filter(lacks, sys.argv[1:])))
`;

/**
 * Why code that needs the packages cannot run here; null where it can.
 * @param packages as pip names them, with the least major version where an older one may not have what is tested: `openai>=3`.
 */
export function pythonLacks(packages: readonly string[]): string | null {
  try {
    const named = execFileSync(PYTHON, ['-c', lacking, ...packages], { encoding: 'utf8', stdio: 'pipe', timeout: 60_000 }).trim();
    return named === '' ? null : `${PYTHON} has no ${named}: pip install it, or name another interpreter in TURNPIKE_TEST_PYTHON`;
  } catch (error) {
    return `${PYTHON} does not run: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  }
}
