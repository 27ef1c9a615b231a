/** Resolves once the event loop has handled what is ready meanwhile. */
export type EndTurn = () => Promise<void>;

/** The event loop's own. */
export const endTurn: EndTurn = () => new Promise((resolve) => setImmediate(resolve));

/**
 * Does work that yields after each item, so many items in one turn of the event loop: at a stretch it would hold up every request for as long as it
 * takes. Whoever calls must not show what is half done.
 */
export async function inTurns<Result>(work: Iterator<unknown, Result, undefined>, itemsPerTurn: number, end: EndTurn): Promise<Result> {
  for (let items = 1; ; items++) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (items % itemsPerTurn === 0) await end();
  }
}
