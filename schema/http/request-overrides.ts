/**
 * What a request may decide for itself by a header, `x-turnpike-…` or its alias `x-litellm-…`, where its key allows it: in seconds, how long the
 * whole of it may take, and how long a stream may take to its first event.
 */
export const REQUEST_OVERRIDES = ['timeout', 'stream-timeout'] as const;
export type RequestOverride = (typeof REQUEST_OVERRIDES)[number];

export function isRequestOverride(text: string): text is RequestOverride {
  return REQUEST_OVERRIDES.some((override) => override === text);
}
