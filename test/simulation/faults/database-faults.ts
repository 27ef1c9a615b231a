import type { Dice } from '../dice.ts';
import type { StoreFault, StoreFaults, StoreStatement } from '../store/store-faults.ts';
import type { Counts } from './counts.ts';

/** What the database does wrong at the moment, as chances of each statement. */
export interface DatabaseFaults {
  readonly decide: StoreFaults;
  readonly chances: Record<StoreFault, number>;
  /** Every statement takes up to this much longer. */
  slowMs: number;
  heal(): void;
}

const NONE: Readonly<Record<StoreFault, number>> = { connection_lost: 0, answer_lost: 0, cut: 0, serialization_failure: 0 };
/** What a server can refuse for the sake of another transaction. */
const SERIALIZES: ReadonlySet<StoreStatement> = new Set([
  'commit',
  'take_over',
  'lock_offsets',
  'insert_entries',
  'insert_dead_letters',
  'insert_subjects',
  'add_rollups',
  'advance_offsets',
  'place_oldest',
]);
const KINDS = ['connection_lost', 'answer_lost', 'cut', 'serialization_failure'] as const;

export function createDatabaseFaults(dice: Dice, counts: Counts): DatabaseFaults {
  const faults: DatabaseFaults = {
    chances: { ...NONE },
    slowMs: 0,
    decide: (statement) => {
      const kind = KINDS.find((candidate) => dice.chance(faults.chances[candidate])) ?? null;
      const fault = kind === 'serialization_failure' && !SERIALIZES.has(statement) ? null : kind;
      if (fault !== null) counts.add(`database: ${fault.replaceAll('_', ' ')}${statement === 'commit' ? ' at COMMIT' : ''}`);
      return {
        latencyMs: dice.between(0.05, 0.6) + dice.between(0, faults.slowMs),
        answerMs: dice.between(0.05, 0.6),
        fault,
      };
    },
    heal: () => {
      Object.assign(faults.chances, NONE);
      faults.slowMs = 0;
    },
  };
  return faults;
}
