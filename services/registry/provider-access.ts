import type { ProviderProtocol, UnaddressedProtocol } from '../../schema/values/provider-protocol.ts';

/** What more than the proxy has to know of a provider: where it is, and how it is told who calls. */
export interface ProviderAccess {
  /** Where it is unless a base URL says otherwise; null = that has to be named. */
  readonly baseUrl: string | null;
  /** Name and value of the header that carries a credential. */
  readonly credentialHeader: (secret: string) => readonly [name: string, value: string];
  /** What a GET below the base URL answers to whom it knows and to nobody else; null = there is nothing of the kind. */
  readonly trialPath: string | null;
  /** What that wants to be told besides; absent: nothing. */
  readonly trialHeaders?: Readonly<Record<string, string>>;
}

/** Where a secret or a token stands that is no protocol's own. */
export const bearer = (secret: string): readonly [string, string] => ['authorization', `Bearer ${secret}`];
const listsModels = { credentialHeader: bearer, trialPath: '/models' };

/** By protocol. Base URLs as the providers' own documentation gives them. */
export const PROVIDER_ACCESS = {
  // Whoever means a server of their own and forgets to name it must not send their prompts to OpenAI.
  openai: { ...listsModels, baseUrl: null },
  'azure-openai': { ...listsModels, baseUrl: null, credentialHeader: (secret) => ['api-key', secret] },
  anthropic: {
    baseUrl: 'https://api.anthropic.com',
    credentialHeader: (secret) => ['x-api-key', secret],
    trialPath: '/v1/models',
    trialHeaders: { 'anthropic-version': '2023-06-01' },
  },
  // Its runtime has nothing to list; by an API key, else calls are signed.
  bedrock: { credentialHeader: bearer, baseUrl: null, trialPath: null },
  cohere: { credentialHeader: bearer, baseUrl: 'https://api.cohere.com', trialPath: '/v1/models' },
  deepseek: { ...listsModels, baseUrl: 'https://api.deepseek.com/v1' },
  fireworks: { ...listsModels, baseUrl: 'https://api.fireworks.ai/inference/v1' },
  gemini: {
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    credentialHeader: (secret) => ['x-goog-api-key', secret],
    trialPath: '/models',
  },
  groq: { ...listsModels, baseUrl: 'https://api.groq.com/openai/v1' },
  // Its models are listed to everybody.
  huggingface: { credentialHeader: bearer, baseUrl: 'https://router.huggingface.co/v1', trialPath: null },
  mistral: { ...listsModels, baseUrl: 'https://api.mistral.ai/v1' },
  ollama: { ...listsModels, baseUrl: 'http://127.0.0.1:11434/v1' },
  // As with Hugging Face; but a key may be asked about itself.
  openrouter: { credentialHeader: bearer, baseUrl: 'https://openrouter.ai/api/v1', trialPath: '/key' },
  perplexity: { credentialHeader: bearer, baseUrl: 'https://api.perplexity.ai', trialPath: null },
  together: { ...listsModels, baseUrl: 'https://api.together.xyz/v1' },
  // Project and location are in its address; what carries is no secret but the token got with it.
  vertex: { credentialHeader: bearer, baseUrl: null, trialPath: null },
  xai: { ...listsModels, baseUrl: 'https://api.x.ai/v1' },
} satisfies Readonly<Record<ProviderProtocol, ProviderAccess>> & Readonly<Record<UnaddressedProtocol, { readonly baseUrl: null }>>;

/** The query by which Azure is told which version of its API is meant; empty where none is. */
export function apiVersionQuery(apiVersion: string | undefined): string {
  return apiVersion === undefined ? '' : `?api-version=${encodeURIComponent(apiVersion)}`;
}
