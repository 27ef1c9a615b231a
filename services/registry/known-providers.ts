import type { ProviderProtocol } from '../../schema/values/provider-protocol.ts';
import { PROVIDER_ACCESS } from './provider-access.ts';

/** A provider that is ready to use once its credential is in the environment (DESIGN.md, "Two ways to run"). */
export interface KnownProvider {
  readonly name: string;
  readonly variable: string;
  readonly protocol: ProviderProtocol;
  readonly baseUrl: string;
}

const { anthropic, cohere, gemini, mistral, groq, deepseek, together, fireworks, openrouter, xai } = PROVIDER_ACCESS;

/** Those whose models and prices the catalogue has, and whose address is the same for everybody. Of Perplexity it has models of the past only. */
export const KNOWN_PROVIDERS: readonly KnownProvider[] = [
  { name: 'openai', variable: 'OPENAI_API_KEY', protocol: 'openai', baseUrl: 'https://api.openai.com/v1' },
  { name: 'anthropic', variable: 'ANTHROPIC_API_KEY', protocol: 'anthropic', baseUrl: anthropic.baseUrl },
  { name: 'gemini', variable: 'GEMINI_API_KEY', protocol: 'gemini', baseUrl: gemini.baseUrl },
  { name: 'cohere', variable: 'COHERE_API_KEY', protocol: 'cohere', baseUrl: cohere.baseUrl },
  { name: 'mistral', variable: 'MISTRAL_API_KEY', protocol: 'mistral', baseUrl: mistral.baseUrl },
  { name: 'groq', variable: 'GROQ_API_KEY', protocol: 'groq', baseUrl: groq.baseUrl },
  { name: 'deepseek', variable: 'DEEPSEEK_API_KEY', protocol: 'deepseek', baseUrl: deepseek.baseUrl },
  { name: 'together', variable: 'TOGETHER_API_KEY', protocol: 'together', baseUrl: together.baseUrl },
  { name: 'fireworks', variable: 'FIREWORKS_API_KEY', protocol: 'fireworks', baseUrl: fireworks.baseUrl },
  { name: 'openrouter', variable: 'OPENROUTER_API_KEY', protocol: 'openrouter', baseUrl: openrouter.baseUrl },
  { name: 'xai', variable: 'XAI_API_KEY', protocol: 'xai', baseUrl: xai.baseUrl },
];
