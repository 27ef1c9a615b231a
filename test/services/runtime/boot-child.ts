import { runProcess } from '../../../services/runtime/boot.ts';
import { StartRefusal } from '../../../services/runtime/start-refusal.ts';

/** A process for boot.test.ts; its argument says how it behaves. */
const mode = process.argv[2] ?? '';
const forever = new Promise<never>(() => {});
let stops = 0;

runProcess({
  name: 'child',
  stopDeadlineMs: mode === 'stuck' ? 300 : 5_000,
  hurryGraceMs: 0,
  defaultLogLevel: 'fatal',
  start: async ({ fail, stopping }) => {
    if (mode === 'refuse') throw new StartRefusal('the moon is wrong');
    if (mode === 'slow-start') {
      console.log('starting');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 10_000);
        stopping.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    if (mode === 'throw')
      setTimeout(() => {
        throw new Error('thrown later');
      }, 5);
    if (mode === 'reject') setTimeout(() => void Promise.reject(new Error('rejected later')), 5);
    if (mode === 'fail') setTimeout(() => fail(new Error('epoch lost')), 5);
    setInterval(() => {}, 1_000);
    console.log('started');
    return {
      addresses: { http: 'http://127.0.0.1:1' },
      stop: async (hurry) => {
        stops++;
        console.log(`stop ${stops}`);
        hurry.addEventListener('abort', () => console.log('hurry'));
        if (mode === 'stuck' || mode === 'slow') await forever;
      },
    };
  },
});
