import { seededRandom } from '../harness/seeded-random.ts';

/** What is done to the world, and for how long where it is not over at once. */
export type Fault =
  | { readonly kind: 'kill'; readonly process: ProcessKind; readonly number: number }
  | { readonly kind: 'freeze'; readonly process: ProcessKind; readonly number: number; readonly forMs: number }
  | { readonly kind: 'clock'; readonly process: ProcessKind; readonly number: number; readonly byMs: number; readonly forMs: number }
  | { readonly kind: 'broker'; readonly deed: 'stop' | 'kill' | 'freeze'; readonly forMs: number }
  | { readonly kind: 'postgres'; readonly deed: 'immediate' | 'freeze'; readonly forMs: number }
  | { readonly kind: 'disk full'; readonly forMs: number }
  | { readonly kind: 'cut' | 'half-open' | 'damage'; readonly link: LinkName }
  | { readonly kind: 'delay'; readonly link: LinkName; readonly byMs: number; readonly forMs: number }
  | { readonly kind: 'unreachable'; readonly link: LinkName; readonly forMs: number };

export type ProcessKind = 'proxy' | 'ledger' | 'api';
export type LinkName = 'kafka' | 'postgres' | 'provider';

export type PlannedFault = { readonly atMs: number; readonly fault: Fault };

export type PlanOptions = {
  readonly seed: number;
  /** How long there is load. */
  readonly durationMs: number;
  /** How many of each process there are. */
  readonly processes: Readonly<Record<ProcessKind, number>>;
};

const processKinds: readonly ProcessKind[] = ['proxy', 'ledger', 'api'];
const linkNames: readonly LinkName[] = ['kafka', 'postgres', 'provider'];
const quietStartMs = 3_000;
const quietEndMs = 6_000;
const mostGapMs = 6_000;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** An api that is three days ahead tells who resumes that its cursor has expired, which is a gap, and right by its clock. */
const apiClockJumpsMs = [-90_000, 90_000, -70 * minuteMs, 70 * minuteMs, -3 * dayMs];
/** From what a bad time server does to what a dead battery does. */
const clockJumpsMs = [-2_000, 2_000, -90_000, 90_000, -70 * minuteMs, 70 * minuteMs, -3 * dayMs, 3 * dayMs];

/**
 * The schedule of a run: the same for the same seed. Faults are dealt like cards, so that each kind comes once before any comes a
 * second time, and close enough that one begins before another is over; a whole deck fits into any run.
 */
export function planFaults(options: PlanOptions): readonly PlannedFault[] {
  const random = seededRandom(options.seed);
  const between = (least: number, most: number): number => least + random.below(most - least + 1);
  const some = <Item>(items: readonly Item[]): Item => {
    const item = items[random.below(items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  };
  const who = (process: ProcessKind): number => 1 + random.below(options.processes[process]);
  const freezeMs = (process: ProcessKind): number =>
    // A ledger's session at the brokers lasts 10 s: some sleep through its end, and wake up as somebody else's partitions' owner.
    process === 'ledger' ? between(2_000, 14_000) : between(1_000, 6_000);
  const kinds: readonly (() => Fault)[] = [
    ...processKinds.flatMap((process) => [
      () => ({ kind: 'kill', process, number: who(process) }) as const,
      () => ({ kind: 'freeze', process, number: who(process), forMs: freezeMs(process) }) as const,
      () =>
        ({
          kind: 'clock',
          process,
          number: who(process),
          byMs: some(process === 'api' ? apiClockJumpsMs : clockJumpsMs),
          forMs: between(2_000, 12_000),
        }) as const,
    ]),
    ...(['stop', 'kill', 'freeze'] as const).map((deed) => () => ({ kind: 'broker', deed, forMs: between(1_000, 6_000) }) as const),
    ...(['immediate', 'freeze'] as const).map((deed) => () => ({ kind: 'postgres', deed, forMs: between(500, 6_000) }) as const),
    () => ({ kind: 'disk full', forMs: between(2_000, 6_000) }) as const,
    ...linkNames.flatMap((link) => [
      ...(['cut', 'half-open', 'damage'] as const).map((kind) => () => ({ kind, link }) as const),
      () => ({ kind: 'delay', link, byMs: between(20, 400), forMs: between(1_000, 6_000) }) as const,
      () => ({ kind: 'unreachable', link, forMs: between(500, 4_000) }) as const,
    ]),
  ];
  const room = Math.max(0, options.durationMs - quietStartMs - quietEndMs);
  const gapMs = Math.min(mostGapMs, room / kinds.length);
  const faults: PlannedFault[] = [];
  let deck: (() => Fault)[] = [];
  for (let slot = 0; slot < Math.floor(room / gapMs + 0.001); slot++) {
    if (deck.length === 0) deck = [...kinds];
    const [deal] = deck.splice(random.below(deck.length), 1);
    if (deal !== undefined) faults.push({ atMs: Math.round(quietStartMs + (slot + random.fraction()) * gapMs), fault: deal() });
  }
  return faults;
}

/** A fault in a few words, for people and for counting by kind. */
export function describeFault(fault: Fault): { readonly what: string; readonly where: string } {
  switch (fault.kind) {
    case 'kill':
      return { what: 'SIGKILL', where: `${fault.process} ${fault.number}` };
    case 'freeze':
      return { what: 'SIGSTOP, SIGCONT', where: `${fault.process} ${fault.number}` };
    case 'clock':
      return { what: `clock jumps ${fault.byMs > 0 ? 'ahead' : 'back'}`, where: `${fault.process} ${fault.number}` };
    case 'broker':
      return { what: { stop: 'stopped', kill: 'SIGKILL', freeze: 'SIGSTOP, SIGCONT' }[fault.deed], where: 'broker' };
    case 'postgres':
      return { what: { immediate: 'immediate stop', freeze: 'SIGSTOP, SIGCONT' }[fault.deed], where: 'PostgreSQL' };
    case 'disk full':
      return { what: 'disk full', where: 'proxy 1' };
    default:
      return { what: fault.kind, where: `link to ${fault.link}` };
  }
}
