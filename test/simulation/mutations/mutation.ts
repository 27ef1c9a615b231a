import type { SourcePatch } from './source-patch.ts';
import type { Tampering } from './tampering.ts';

/** A deliberate bug, and the run that `npm test` notices it in. */
export interface Mutation {
  readonly name: string;
  /** By a seam where one can express it. */
  readonly tampering?: Tampering;
  /** By other source text where none can. */
  readonly patch?: SourcePatch;
  /** The seed that is pinned, and the invariant that is broken in it. */
  readonly seed: number;
  readonly notices: string;
}
