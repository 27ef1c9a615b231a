import type { Round, SequencerSession } from './store/sequencer-store.ts';

/**
 * Gives committed journal items their positions: up to `limit` that have none, in log order, dense within their organization.
 * One transaction, so all of it or nothing.
 * @param wakeReaders asked with the number sequenced, before the commit: whether readers are to be woken with it.
 */
export async function sequenceRound(
  session: SequencerSession,
  options: { readonly limit: number; readonly wakeReaders: (sequenced: number) => boolean },
): Promise<Round> {
  return session.transaction(async (transaction) => {
    const round = await transaction.placeOldest(options.limit);
    if (options.wakeReaders(round.sequenced)) await transaction.wakeReaders();
    return round;
  });
}
