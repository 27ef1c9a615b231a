/** What a Claude model takes, where not all of them take the same. */
export interface ClaudeModel {
  /** How it can be told to think: not at all, with a `budget` of tokens, as it sees fit (`adaptive`), or by either. */
  readonly thinking: 'none' | 'budget' | 'either' | 'adaptive';
  /** Whether it thinks unless it is told not to, and whether it can be told. */
  readonly thinksUnasked: 'no' | 'unless_disabled' | 'always';
  /** Whether it knows the effort `xhigh`. */
  readonly xhighEffort: boolean;
  /** Whether it takes `temperature`, `top_p` and `top_k`. */
  readonly sampling: boolean;
  /** Whether its answer can be bound to a JSON schema, and the arguments of its tools. */
  readonly schemas: boolean;
}

/** Of a name such as `claude-sonnet-4-5-20250929`, `anthropic.claude-opus-4-6-v1`, `claude-3-7-sonnet@20250219`. */
const NEWER_NAME = /claude-(?<family>[a-z]+)-(?<major>\d{1,2})(?:-(?<minor>\d{1,2}))?(?!\d)/;
const OLDER_NAME = /claude-(?<major>\d)(?:-(?<minor>\d))?(?!\d)/;
const ALWAYS_THINKING: ReadonlySet<string | undefined> = new Set(['fable', 'mythos']);

/**
 * What the model of that name takes, by Anthropic's own documentation of its generations. A name that tells no generation is one of the newest: older
 * ones do not get new names.
 */
export function claudeModel(name: string): ClaudeModel {
  const { family, major, minor } = NEWER_NAME.exec(name)?.groups ?? OLDER_NAME.exec(name)?.groups ?? {};
  const generation = major === undefined ? Number.POSITIVE_INFINITY : Number(major) + Number(minor ?? 0) / 100;
  const adaptive = generation >= 4.06 ? 'adaptive' : 'budget';
  return {
    thinking: generation < 3.07 ? 'none' : generation === 4.06 ? 'either' : adaptive,
    thinksUnasked: ALWAYS_THINKING.has(family) ? 'always' : generation >= 5 ? 'unless_disabled' : 'no',
    xhighEffort: generation >= 4.07,
    sampling: generation < 4.07,
    schemas: generation >= 4.01,
  };
}
