import { describeEventLog } from '../conformance.ts';
import { embeddedHarness } from './embedded-harness.ts';

describeEventLog('embedded', embeddedHarness);
