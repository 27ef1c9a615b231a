import type { Fields } from '../../body/json-fields.ts';
import { readReportedMessageUsage } from '../anthropic/reported-usage.ts';
import { readReportedUsage } from '../openai/reported-usage.ts';
import type { ReportedUsage } from '../provider.ts';
import { normalizeUsage } from './usage.ts';

/**
 * Usage of whatever Bedrock was asked: each maker's models tell theirs in its words, Converse in Bedrock's, and what Bedrock itself counted
 * (`…TokenCount`, in headers and behind the last event) is read where the model told nothing.
 */
export function readBedrockUsage(reported: Fields): ReportedUsage {
  if (reported.inputTokens !== undefined || reported.outputTokens !== undefined) return { ...normalizeUsage(reported), costPico: null };
  if (reported.prompt_tokens !== undefined || reported.input_tokens_details !== undefined) return readReportedUsage(reported, () => null);
  if (reported.input_tokens !== undefined) return readReportedMessageUsage(reported);
  const { inputTokenCount, outputTokenCount, cacheReadInputTokenCount, cacheWriteInputTokenCount } = reported;
  const counted = { inputTokens: inputTokenCount, outputTokens: outputTokenCount, cacheReadInputTokenCount, cacheWriteInputTokenCount };
  return { ...normalizeUsage(counted), costPico: null };
}
