import type { Timers } from '../timers.ts';
import { pause } from '../timers.ts';

const INTERVAL_MS = 5_000;
const TIMEOUT_MS = 1_000;

/** Tells Kafka now and then how far we are, for tools that show a group's lag. Nobody of ours reads it, so its failure is nobody's concern. */
export interface OffsetHints {
  note(partition: number, nextOffset: bigint): void;
  /** The partition is another's to speak of. */
  forget(partition: number): void;
  /** Tells what was noted, waiting a moment at most. */
  flush(): Promise<void>;
  end(): void;
}

export function createOffsetHints(commit: (offsets: readonly (readonly [number, bigint])[]) => Promise<void>, timers: Timers): OffsetHints {
  const noted = new Map<number, bigint>();
  let cancel = timers.after(INTERVAL_MS, flushLater);

  async function flush(): Promise<void> {
    const offsets = [...noted];
    noted.clear();
    if (offsets.length > 0) await Promise.race([commit(offsets).catch(() => {}), pause(timers, TIMEOUT_MS)]);
  }

  function flushLater(): void {
    void flush();
    cancel = timers.after(INTERVAL_MS, flushLater);
  }

  return {
    note: (partition, nextOffset) => void noted.set(partition, nextOffset),
    forget: (partition) => void noted.delete(partition),
    flush,
    end: () => cancel(),
  };
}
