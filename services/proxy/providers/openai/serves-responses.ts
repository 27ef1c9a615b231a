import type { SnapshotProvider } from '../../../registry/snapshot.ts';
import { isOpenai } from './output-limit-field.ts';

/**
 * Whether a provider, of a protocol that has the Responses API, serves it itself. Of all that protocol `openai` stands for OpenAI does, and a compatible
 * server where its settings say so. It is never tried out on a request: an answer of 404 may be about its model as well.
 */
export function servesResponses({ protocol, baseUrl, options }: Pick<SnapshotProvider, 'protocol' | 'baseUrl' | 'options'>): boolean {
  return protocol !== 'openai' || (options.servesResponses ?? isOpenai({ protocol, baseUrl }));
}
