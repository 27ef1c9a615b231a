import type { OutputLimitField } from '../../../../schema/values/output-cap.ts';
import type { SnapshotProvider } from '../../../registry/snapshot.ts';

/** OpenAI itself, in its regions and on Azure: its newer models refuse `max_tokens`, all of them take the other. */
const OPENAI = /^https:\/\/(?:[a-z0-9-]+\.)?(?:api\.openai\.com|openai\.azure\.com)(?:[:/]|$)/;

/** Whether a provider is OpenAI itself, wherever it runs, and not one that is compatible. */
export function isOpenai({ protocol, baseUrl }: Pick<SnapshotProvider, 'protocol' | 'baseUrl'>): boolean {
  return protocol === 'azure-openai' || OPENAI.test(baseUrl);
}

/**
 * How a provider wants to be told the limit of an answer. Of those that are compatible some do not know the newer name, and refuse or ignore it; where
 * one wants it all the same its settings say so.
 */
export function outputLimitField(provider: Pick<SnapshotProvider, 'protocol' | 'baseUrl' | 'options'>): OutputLimitField {
  return provider.options.outputLimitField ?? (isOpenai(provider) ? 'max_completion_tokens' : 'max_tokens');
}
