/** A count that is taken apart into classes, never more than is left of it. Of a whole nobody reported, nothing is taken. */
export class Whole {
  rest: number | null;
  readonly #flags: string[];

  constructor(whole: number | null, flags: string[]) {
    this.rest = whole;
    this.#flags = flags;
  }

  /** What belongs to a class of its own; a part larger than what is left is cut to it and flagged `class_clamped`. */
  take(part: number | null): number | null {
    if (part === null || this.rest === null) return part;
    if (part > this.rest) flag(this.#flags, 'class_clamped');
    const fitting = Math.min(part, this.rest);
    this.rest -= fitting;
    return fitting;
  }
}

/** A count as a provider reported it; null: it did not. What is no count is flagged `usage_invalid` and unknown. */
export function count(value: unknown, flags: string[]): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  flag(flags, 'usage_invalid');
  return null;
}

/** Notes what was odd about a usage, once. */
export function flag(flags: string[], name: string): void {
  if (!flags.includes(name)) flags.push(name);
}
