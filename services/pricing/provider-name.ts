/** Families the source table splits by API or by model maker, and names we spell as their owners do. */
const OUR_NAME: ReadonlyMap<string, string> = new Map([
  ['azure_text', 'azure'],
  ['bedrock_converse', 'bedrock'],
  ['cohere_chat', 'cohere'],
  ['fireworks_ai', 'fireworks'],
  ['fireworks_ai-embedding-models', 'fireworks'],
  ['text-completion-codestral', 'codestral'],
  ['text-completion-inception', 'inception'],
  ['text-completion-openai', 'openai'],
  ['together_ai', 'together'],
]);

/** Our name of a provider the source table names: lower-case letters, digits and dashes. */
export function providerNameOf(tableName: string): string {
  if (tableName === 'vertex_ai' || tableName.startsWith('vertex_ai-')) return 'vertex';
  return OUR_NAME.get(tableName) ?? tableName.toLowerCase().replaceAll('_', '-');
}

/**
 * The provider's own name of a model, from the table's key: first-party keys are bare (`gpt-5`), others begin with the provider
 * (`gemini/gemini-2.5-pro`); what follows may hold slashes of its own (`openrouter/openai/gpt-5`).
 */
export function modelNameOf(key: string, tableProvider: string): string {
  const slash = key.indexOf('/');
  if (slash < 0) return key;
  return providerNameOf(key.slice(0, slash)) === providerNameOf(tableProvider) ? key.slice(slash + 1) : key;
}
