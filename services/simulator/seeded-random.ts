import { hash } from 'node:crypto';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * A number in [0, 2^48) that stands for these bytes: what a request's behavior is derived from.
 * SHA-256 rather than a loop in JavaScript, because a body may be 32 MiB.
 */
export function fingerprint(bytes: Uint8Array): number {
  return hash('sha256', bytes, 'buffer').readUIntBE(0, 6);
}

/** A stream of pseudo-random numbers that is a function of its seeds alone (mulberry32). Never for secrets. */
export class SeededRandom {
  #state: number;

  /** @param occurrence how many equal requests came before: it keeps the ids of repeated requests apart. */
  constructor(seed: number, requestFingerprint: number, occurrence: number) {
    const low = requestFingerprint >>> 0;
    const high = Math.floor(requestFingerprint / 2 ** 32);
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(low, 0xc2b2ae35) ^ Math.imul(high + 1, 0x27d4eb2f);
    this.#state ^= Math.imul(occurrence + 1, 0x165667b1);
  }

  /** 32 random bits. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A number in [0, 1). */
  fraction(): number {
    return this.bits() / 2 ** 32;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** A number in [from, to]. */
  between(from: number, to: number): number {
    return from === to ? from : from + this.fraction() * (to - from);
  }

  /** Letters and digits, as in OpenAI's ids. */
  letters(length: number): string {
    let text = '';
    for (let bits = 0, index = 0; index < length; index++) {
      // Five characters (under 30 bits) from one draw.
      if (index % 5 === 0) bits = this.bits();
      text += alphabet[bits % 62];
      bits = Math.floor(bits / 62);
    }
    return text;
  }
}
