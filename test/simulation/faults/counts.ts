/** How often each kind of thing was done to the world, by name. */
export interface Counts {
  add(name: string, by?: number): void;
  /** In the names' order. */
  all(): ReadonlyMap<string, number>;
}

export function createCounts(): Counts {
  const counts = new Map<string, number>();
  return {
    add: (name, by = 1) => {
      counts.set(name, (counts.get(name) ?? 0) + by);
    },
    all: () => new Map([...counts].sort(([left], [right]) => (left < right ? -1 : 1))),
  };
}
