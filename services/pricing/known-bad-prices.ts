/**
 * Entries of the source table whose prices other sources contradict or which contradict themselves in ways no general rule catches
 * (reference/providers.md 8.3). Whoever uses one of these models states its price in configuration.
 */
const DISPUTED = 'two other price tables give another price';
export const KNOWN_BAD_ENTRIES: ReadonlyMap<string, string> = new Map([
  ['embed-multilingual-light-v3.0', 'a thousand times the price that every table, this one too, gives its sisters'],
  ['gemini/gemini-1.5-flash', 'an output price of 0, and described as an embedding model'],
  ['deepseek-chat', DISPUTED],
  ['deepseek/deepseek-chat', DISPUTED],
  ['deepseek-reasoner', DISPUTED],
  ['deepseek/deepseek-reasoner', DISPUTED],
  ['codestral/codestral-latest', DISPUTED],
  ['mistral/codestral-latest', DISPUTED],
  ['mistral/mistral-medium-latest', DISPUTED],
  ['mistral/mistral-small-latest', DISPUTED],
  ['mistral/ministral-8b-latest', DISPUTED],
]);

/**
 * No token is sold above this: the dearest in the table is 600 USD a million (o1-pro's output), and everything beyond a thousand turned out
 * to be written per thousand or per million instead of per token.
 */
export const IMPLAUSIBLE_PICO_PER_TOKEN = 1_000_000_000n;
