/** Says to everything that lives long that the server stops. */
export interface Drain {
  readonly draining: () => boolean;
  /** Calls back once, when draining begins; returns how to withdraw. */
  readonly onDrain: (callback: () => void) => () => void;
  readonly begin: () => void;
}

export function createDrain(): Drain {
  const callbacks = new Set<() => void>();
  let draining = false;
  return {
    draining: () => draining,
    onDrain: (callback) => {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
    begin: () => {
      draining = true;
      for (const callback of callbacks) callback();
    },
  };
}
