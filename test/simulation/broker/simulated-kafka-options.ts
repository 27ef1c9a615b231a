import type { Counts } from '../faults/counts.ts';
import type { Network } from '../faults/network.ts';
import type { Life } from '../life.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { KafkaGroup } from './kafka-group.ts';

/** What stands behind kafkajs' surface in one process. */
export interface SimulatedKafkaOptions {
  readonly cluster: KafkaCluster;
  readonly group: KafkaGroup;
  readonly network: Network;
  readonly counts: Counts;
  readonly life: Life;
  readonly machine: string;
}
