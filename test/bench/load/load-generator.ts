import { parseLoadJob } from './load-job.ts';
import { runLoad } from './run-load.ts';

// The load generator is a process of its own, so that its work is neither measured nor in the way of the benchmark's clock.
process.on('message', (message) => {
  void runLoad(parseLoadJob(message)).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
process.send?.({ ready: true });
