import type { Fields } from '../../body/json-fields.ts';
import { readReportedUsage } from '../openai/reported-usage.ts';
import { normalizeUsage } from '../openai/usage.ts';
import type { ReportedUsage } from '../provider.ts';

/**
 * Usage in the words of Ollama's own API (`/api/chat`, `/api/generate`, `/api/embed`), or in OpenAI's, which it speaks too. What it says of neither side is
 * unknown: it leaves `prompt_eval_count` out where it had the prompt in its cache.
 */
export function readOllamaUsage(reported: Fields): ReportedUsage {
  const { prompt_eval_count: input, eval_count: output } = reported;
  if (input === undefined && output === undefined) return readReportedUsage(reported, () => null);
  return { ...normalizeUsage({ prompt_tokens: input, completion_tokens: output }), costPico: null };
}
