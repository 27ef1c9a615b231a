import type { Conversation, OutputFormat, ReasoningWish } from '../../conversation/conversation.ts';
import type { RequestFields } from '../request-fields.ts';
import { closedSchema, isStrictSchema, jsonSchemaOf } from './json-schema.ts';

/** How the answer is to be made. */
export type GenerationWishes = Pick<
  Conversation,
  | 'maxOutputTokens'
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'frequencyPenalty'
  | 'presencePenalty'
  | 'seed'
  | 'stopSequences'
  | 'choices'
  | 'logprobs'
  | 'reasoning'
  | 'outputFormat'
>;

const NO_WISHES: GenerationWishes = {
  maxOutputTokens: null,
  temperature: null,
  topP: null,
  topK: null,
  frequencyPenalty: null,
  presencePenalty: null,
  seed: null,
  stopSequences: [],
  choices: 1,
  logprobs: null,
  reasoning: null,
  outputFormat: { kind: 'text' },
};

/** Reads `generationConfig`. @throws {GatewayError} for answers that are no text, and for formats that nobody else has. */
export function readGenerationConfig(body: RequestFields): GenerationWishes {
  const config = body.object('generationConfig');
  if (config === null) return NO_WISHES;
  const alternatives = config.number('logprobs');
  const wishes = {
    maxOutputTokens: config.number('maxOutputTokens'),
    temperature: config.number('temperature'),
    topP: config.number('topP'),
    topK: config.number('topK'),
    frequencyPenalty: config.number('frequencyPenalty'),
    presencePenalty: config.number('presencePenalty'),
    seed: config.number('seed'),
    stopSequences: readStops(config),
    choices: config.number('candidateCount') ?? 1,
    logprobs: config.flag('responseLogprobs') === true ? (alternatives ?? 0) : null,
    reasoning: readThinking(config),
    outputFormat: readFormat(config),
  };
  readModalities(config);
  return wishes;
}

function readStops(config: RequestFields): string[] {
  return (config.list('stopSequences') ?? []).map((text) => {
    if (typeof text !== 'string') throw config.invalid('stopSequences', 'must be an array of strings');
    return text;
  });
}

/** A budget of -1 leaves it to the model. */
function readThinking(config: RequestFields): ReasoningWish | null {
  const thinking = config.object('thinkingConfig');
  if (thinking === null) return null;
  const budget = thinking.number('thinkingBudget');
  const level = thinking.text('thinkingLevel');
  const visible = thinking.flag('includeThoughts');
  const effort = level === null || level === 'THINKING_LEVEL_UNSPECIFIED' ? null : level.toLowerCase();
  if (budget === 0) return { effort: 'none', budgetTokens: null, visible };
  return { effort, budgetTokens: budget === null || budget < 0 ? null : budget, visible };
}

function readFormat(config: RequestFields): OutputFormat {
  const mediaType = config.text('responseMimeType');
  const ofGoogle = config.wholeObject('responseSchema');
  const schema = config.wholeObject('responseJsonSchema') ?? (ofGoogle === null ? null : jsonSchemaOf(ofGoogle));
  if (mediaType !== null && mediaType !== 'application/json' && mediaType !== 'text/plain') {
    throw config.invalid('responseMimeType', 'must be "text/plain" or "application/json" with this model');
  }
  if (schema === null) return { kind: mediaType === 'application/json' ? 'json' : 'text' };
  const closed = closedSchema(schema);
  // OpenAI wants a name for it.
  return { kind: 'json_schema', name: 'answer', schema: closed, strict: isStrictSchema(closed) ? true : null };
}

/** Where a text is welcome too, an answer of text alone is poorer but right. */
function readModalities(config: RequestFields): void {
  const modalities = config.list('responseModalities') ?? [];
  if (modalities.length > 0 && !modalities.includes('TEXT')) {
    throw config.invalid('responseModalities', 'must have "TEXT": the provider of this model is asked for nothing else here');
  }
  if (modalities.length > 1) config.drop('responseModalities');
}
