import type { UsageShape } from './usage-shape.ts';

/** What a provider's answer to an embeddings request holds beside the vectors. */
export type EmbeddingsShape = {
  readonly hasId: boolean;
  /** Whether the usage says that nothing was completed. */
  readonly tellsCompletion: boolean;
  readonly usage: (promptTokens: number) => object;
};

const openai: EmbeddingsShape = {
  hasId: false,
  tellsCompletion: false,
  usage: (tokens) => ({ prompt_tokens: tokens, total_tokens: tokens }),
};

/** Mistral: all that its chat usage might hold, null. */
const mistral: EmbeddingsShape = {
  hasId: true,
  tellsCompletion: true,
  usage: (tokens) => ({
    prompt_audio_seconds: null,
    prompt_tokens: tokens,
    total_tokens: tokens,
    completion_tokens: 0,
    request_count: null,
    prompt_tokens_details: null,
    completion_tokens_details: null,
    service_tier: null,
    prompt_token_details: null,
  }),
};

/** Models of others on Azure. */
const azure: EmbeddingsShape = {
  hasId: true,
  tellsCompletion: true,
  usage: (tokens) => ({ prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens }),
};

/** The shapes that were recorded; all others answer as OpenAI does. */
const recorded: Partial<Readonly<Record<UsageShape, EmbeddingsShape>>> = { azure, mistral, 'mistral-details': mistral };

export const embeddingsShapeOf = (shape: UsageShape): EmbeddingsShape => recorded[shape] ?? openai;
