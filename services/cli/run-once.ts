import type { Environment } from '../runtime/environment.ts';
import { readEnvironment } from '../runtime/environment.ts';
import { PlainFailure, refusalExitCode, StartRefusal } from '../runtime/start-refusal.ts';

/** Runs a command that does its work and ends: what a person can mend is told without a stack, and the exit code says which it was. */
export async function runOnce(work: (environment: Environment) => Promise<void>): Promise<void> {
  try {
    await work(readEnvironment());
  } catch (error) {
    console.error(error instanceof PlainFailure ? error.message : error);
    process.exitCode = error instanceof StartRefusal ? refusalExitCode : 1;
  }
}
