import { describe } from 'vitest';
import { kafkaIsThere, ownBrokersAreThere } from '../../../harness/kafka.ts';
import { describeEventLog } from '../conformance.ts';
import { kafkaHarness } from './kafka-harness.ts';

describe.skipIf(!kafkaIsThere || !ownBrokersAreThere)('on real brokers', () => {
  describeEventLog('kafka', kafkaHarness);
});
