import type { UsageShape } from '../usage-shape.ts';
import type { ChatShape } from './chat-shape.ts';
import { deepseekShape } from './deepseek.ts';
import { groqShape } from './groq.ts';
import { mistralDetailsShape, mistralShape } from './mistral.ts';
import { azureShape, openaiShape } from './openai.ts';
import { openrouterShape } from './openrouter.ts';
import { perplexityShape } from './perplexity.ts';
import { togetherShape } from './together.ts';
import { xaiShape } from './xai.ts';

/** How each provider writes an answer to a chat completion. */
export const chatShapes: Readonly<Record<UsageShape, ChatShape>> = {
  openai: openaiShape,
  azure: azureShape,
  deepseek: deepseekShape,
  groq: groqShape,
  mistral: mistralShape,
  'mistral-details': mistralDetailsShape,
  openrouter: openrouterShape,
  perplexity: perplexityShape,
  together: togetherShape,
  xai: xaiShape,
};
