import type { ChangedObject, ChangedType, ChangeEvent, LiveStreams, StreamControl } from '../../../schema/graphql/ports/live-streams.ts';
import type { JournalItem } from './journal-feed.ts';
import type { StreamSources } from './open-stream.ts';
import { openStream } from './open-stream.ts';

/** Most journal items looked at in one step, so that a reader among many requests still lets others run. */
const itemsPerStep = 500;

/** What audit events call the types of the schema. */
const typeOfTarget: Readonly<Record<string, ChangedType>> = {
  organization: 'ORGANIZATION',
  team: 'TEAM',
  api_key: 'API_KEY',
  provider: 'PROVIDER',
  provider_credential: 'PROVIDER_CREDENTIAL',
  model: 'MODEL',
  route: 'ROUTE',
  service_account: 'SERVICE_ACCOUNT',
  user: 'USER',
  tag: 'TAG',
};

/** The objects an audit event names, of the types that are asked for; none where it is no audit event. */
function changedObjects(item: JournalItem, types: ReadonlySet<ChangedType>): readonly ChangedObject[] {
  const targets: readonly unknown[] = Array.isArray(item.audit?.targets) ? item.audit.targets : [];
  return targets.flatMap((target) => {
    if (typeof target !== 'object' || target === null || !('type' in target) || !('id' in target)) return [];
    const type = typeOfTarget[String(target.type)];
    return type === undefined || !types.has(type) ? [] : [{ type, id: String(target.id) }];
  });
}

/** `changes`: audit events of the journal in its order, every one of them. */
export function createChangeStream(
  sources: StreamSources,
  input: Parameters<LiveStreams['changes']>[0],
): Promise<AsyncIterableIterator<ChangeEvent | StreamControl>> {
  const types = new Set(input.types);
  return openStream<ChangeEvent>(sources, {
    name: 'changes',
    question: input.identity,
    permissions: input.permissions,
    of: 'audit',
    after: input.after,
    waitMs: () => Number.POSITIVE_INFINITY,
    step: async (place) => {
      for (let looked = 0; looked < itemsPerStep; looked++) {
        const item = await place.next();
        if (item === null) return { event: null, again: false };
        if ('kind' in item) return { event: item, again: true };
        const objects = changedObjects(item, types);
        if (item.audit === null || objects.length === 0) continue;
        const { id: auditEventId, action, occurredAt: at } = item.audit;
        return {
          event: {
            kind: 'change',
            cursor: place.cursor(),
            position: item.position,
            objects,
            action,
            at,
            auditEventId,
          },
          again: true,
        };
      }
      return { event: null, again: true };
    },
  });
}
