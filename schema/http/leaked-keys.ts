import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** Where secret scanners hand in keys they found; on the api, not on the proxy. */
export const LEAKED_KEYS = '/leaked-keys';

/** The message of GitHub's secret scanning partner program: an array of matches. What else they carry is passed over. */
const LeakedKeyMatches = Type.Array(
  Type.Object({
    token: Type.String({ maxLength: 1_024 }),
    type: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    /** Where it was found; may be empty. */
    url: Type.Optional(Type.Union([Type.String({ maxLength: 4_096 }), Type.Null()])),
    /** What kind of place that is: `content`, `commit`, `npm`, … */
    source: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
  }),
  { minItems: 1, maxItems: 1_000 },
);

const matches = Compile(LeakedKeyMatches);

export interface LeakedKeyMatch {
  readonly token: string;
  readonly url?: string | null;
  readonly source?: string | null;
}

/** Parses a message; null where it is none. What is said about that must not repeat it: it may hold secrets. */
export function parseLeakedKeys(text: string): readonly LeakedKeyMatch[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return matches.Check(value) ? value : null;
}

/** The answer, the same whatever was handed in: how many matches came. */
export interface LeakedKeysReceived {
  readonly received: number;
}
