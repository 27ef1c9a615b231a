import { openaiDialect } from '../openai/openai-dialect.ts';
import type { Provider } from '../provider.ts';
import { azureAccountPath, azurePath } from './request.ts';

/** Models deployed at Azure: a deployment stands where others name a model. */
export const azureOpenaiProvider: Provider = openaiDialect('azure-openai', {
  serves: ['responses', 'completions', 'embeddings', 'imageGenerations', 'imageEdits', 'speech', 'transcriptions', 'translations'],
  path: azurePath,
  accountPath: azureAccountPath,
});
