import type { Disk } from '../../../services/eventlog/disk.ts';
import type { EventLogConsumer, EventLogProducer } from '../../../services/eventlog/event-log.ts';
import type { Life } from '../life.ts';
import type { SimulatedPostgres } from '../store/simulated-postgres.ts';
import type { SimulatedStores } from '../store/simulated-stores.ts';

/**
 * Seams that a mutation gets between the product and its world: each is given what the product should have and gives back
 * something worse. Whoever checks looks from the far side, and is not deceived.
 */
export interface Tampering {
  readonly disk?: (disk: Disk) => Disk;
  readonly producer?: (producer: EventLogProducer, life: Life) => EventLogProducer;
  readonly consumer?: (consumer: EventLogConsumer) => EventLogConsumer;
  readonly stores?: (stores: SimulatedStores, parts: { readonly life: Life; readonly server: SimulatedPostgres }) => SimulatedStores;
}
