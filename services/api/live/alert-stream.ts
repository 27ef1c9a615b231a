import type { BudgetAlertEvent, LiveStreams, StreamControl } from '../../../schema/graphql/ports/live-streams.ts';
import type { StreamSources } from './open-stream.ts';
import { openStream } from './open-stream.ts';

/** Most journal items looked at in one step, so that a reader among many requests still lets others run. */
const itemsPerStep = 500;

/** `budgetAlerts`: alerts in the order of the journal, every one of them. */
export function createAlertStream(
  sources: StreamSources,
  input: Parameters<LiveStreams['budgetAlerts']>[0],
): Promise<AsyncIterableIterator<BudgetAlertEvent | StreamControl>> {
  return openStream<BudgetAlertEvent>(sources, {
    name: 'budgetAlerts',
    question: null,
    permissions: ['budget:read'],
    of: 'alert',
    after: input.after,
    waitMs: () => Number.POSITIVE_INFINITY,
    step: async (place) => {
      for (let looked = 0; looked < itemsPerStep; looked++) {
        const item = await place.next();
        if (item === null) return { event: null, again: false };
        if ('kind' in item) return { event: item, again: true };
        if (item.alert === null) continue;
        return { event: { kind: 'alert', cursor: place.cursor(), position: item.position, alertId: item.alert }, again: true };
      }
      return { event: null, again: true };
    },
  });
}
