// Loaded before a process's own code (`node --import`): its wall clock is off by what the file named in CHAOS_CLOCK_FILE says, in
// milliseconds, from a moment after it says so, as when somebody sets the machine's clock. Timers and `performance.now()` are the
// monotonic clock's and stay. Everything in the process that asks for the date is told the shifted one: ours, kafkajs, pg, pino.
import { readFileSync } from 'node:fs';

const file = process.env.CHAOS_CLOCK_FILE ?? '';
const lookEveryMs = 100;
const machineDate = globalThis.Date;
const machineNow = machineDate.now;
let offsetMs = 0;

const look = () => {
  try {
    offsetMs = Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    // Not there yet: right by the machine's clock.
  }
};
look();
setInterval(look, lookEveryMs).unref();

const now = () => machineNow() + offsetMs;
machineDate.now = now;
globalThis.Date = new Proxy(machineDate, {
  apply: () => new machineDate(now()).toString(),
  construct: (target, given, newTarget) => Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
});
