import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import { mintId, uuidFromId } from '../../schema/values/ids.ts';
import { partitionOf } from '../../services/eventlog/partition.ts';
import type { AdmittedRequest } from '../../services/proxy/settlement/settle.ts';
import type { Dice } from './dice.ts';
import { EPOCH_MS } from './machine-clock.ts';

/** A virtual key and whose it is. */
export interface Tenant {
  readonly key: AdmittedRequest['key'];
  readonly keyUuid: string;
  readonly organizationUuid: string;
}

/** Some organizations with some keys each. */
export function createTenants(dice: Dice): readonly Tenant[] {
  const organizations = Array.from({ length: 2 + dice.below(2) }, () => mintId('organization', EPOCH_MS - 1_000, dice.bytes(10)));
  return Array.from({ length: 3 + dice.below(5) }, () => {
    const id = mintId('apiKey', EPOCH_MS - 1_000, dice.bytes(10));
    const organizationId = dice.pick(organizations);
    return {
      key: {
        id,
        organizationId,
        teamId: null,
        userId: null,
        serviceAccountId: null,
        partition: partitionOf(id, REQUESTS_TOPIC.partitions),
      },
      keyUuid: uuidFromId('apiKey', id) ?? '',
      organizationUuid: uuidFromId('organization', organizationId) ?? '',
    };
  });
}
