import { runProcess } from '../runtime/boot.ts';
import { startApi } from './start.ts';

runProcess({ name: 'api', start: startApi });
