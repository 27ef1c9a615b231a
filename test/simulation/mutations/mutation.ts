import type { SourcePatch } from './source-patch.ts';
import type { Tampering } from './tampering.ts';

/** A deliberate bug. */
export interface Mutation {
  readonly name: string;
  /** By a seam where one can express it. */
  readonly tampering?: Tampering;
  /** By other source text where none can. */
  readonly patch?: SourcePatch;
  /** A seed that noticed it: where `npm test` begins to look. */
  readonly seed: number;
}
