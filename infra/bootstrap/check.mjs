// `npm run check`: everything that can be known about the code without running the product.
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChecks } from './checks.mjs';
import { stopCommandsOnSignal } from './run-command.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
stopCommandsOnSignal(() => process.exit(1));
const checks = await runChecks(root, (line) => process.stdout.write(`${line}\n`));
process.exitCode = checks.every((check) => check.problem === null) ? 0 : 1;
