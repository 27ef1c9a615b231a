/**
 * Whose way of telling usage is imitated: where it stands in a body and in a stream, what it leaves out, and what it counts inside what
 * (reference "providers" §2.2, §3, §6). `mistral` is the form with `num_cached_tokens`, `mistral-details` the one with `prompt_tokens_details`.
 */
export const usageShapes = [
  'openai',
  'azure',
  'deepseek',
  'groq',
  'mistral',
  'mistral-details',
  'openrouter',
  'perplexity',
  'together',
  'xai',
] as const;

export type UsageShape = (typeof usageShapes)[number];
