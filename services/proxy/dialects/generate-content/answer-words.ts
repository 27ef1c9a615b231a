import type { TokenClass, TokenUsage } from '../../../../schema/values/token-usage.ts';
import { INPUT_CLASSES, OUTPUT_CLASSES, sumClasses } from '../../../../schema/values/token-usage.ts';
import type { FinishReason, TokenLogprob } from '../../conversation/answer-event.ts';
import type { AnswerStamp } from '../../conversation/dialect.ts';

const FINISH_REASONS: Readonly<Record<FinishReason, string>> = {
  stop: 'STOP',
  stop_sequence: 'STOP',
  length: 'MAX_TOKENS',
  // Google has no reason for it: who is called sees the call.
  tool_calls: 'STOP',
  refused: 'SAFETY',
  paused: 'OTHER',
};
/** OpenAI's name for its usual tier, and Google's. */
const TIER_NAMES: ReadonlyMap<string, string> = new Map([['default', 'standard']]);

/** @param hasRefusal whether the model refused in words: they alone make an end a refusal. */
export function finishReason(reason: FinishReason, hasRefusal: boolean): string {
  return FINISH_REASONS[reason === 'stop' && hasRefusal ? 'refused' : reason];
}

/** The members that every answer, and every chunk of one, ends with, JSON. */
export function stampMembers({ requestId, model }: AnswerStamp): string {
  const responseId = requestId.slice(requestId.indexOf('_') + 1);
  return `"modelVersion":${JSON.stringify(model)},"responseId":${JSON.stringify(responseId)}`;
}

/**
 * Usage as Google tells it: what was cached is part of the prompt, thinking stands beside the answer. What nobody reported is left out, never 0. Null where
 * nothing was reported at all.
 */
export function writeUsage(usage: TokenUsage, tier: string | null): object | null {
  const prompt = sumClasses(usage, INPUT_CLASSES);
  const candidates = sumClasses(usage, ['output', 'outputAudio', 'outputImage']);
  const whole = sumClasses(usage, OUTPUT_CLASSES);
  if (prompt === null && whole === null) return null;
  return {
    ...known('promptTokenCount', prompt),
    ...known('candidatesTokenCount', candidates),
    totalTokenCount: (prompt ?? 0) + (whole ?? 0),
    ...known('cachedContentTokenCount', usage.cacheRead),
    ...known('thoughtsTokenCount', usage.reasoning),
    ...modalities('promptTokensDetails', usage, PROMPT_MODALITIES),
    ...modalities('candidatesTokensDetails', usage, CANDIDATE_MODALITIES),
    ...(tier === null ? {} : { serviceTier: TIER_NAMES.get(tier) ?? tier }),
  };
}

export function writeLogprobs(tokens: readonly TokenLogprob[]): object {
  const written = ({ token, logprob }: Omit<TokenLogprob, 'alternatives'>) => ({ token, logProbability: logprob });
  return {
    chosenCandidates: tokens.map(written),
    topCandidates: tokens.map(({ alternatives }) => ({ candidates: alternatives.map(written) })),
  };
}

type Modalities = readonly (readonly [modality: string, classes: readonly TokenClass[]])[];

const PROMPT_MODALITIES: Modalities = [
  ['TEXT', ['input', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h']],
  ['AUDIO', ['inputAudio']],
  ['IMAGE', ['inputImage']],
];
const CANDIDATE_MODALITIES: Modalities = [
  ['TEXT', ['output']],
  ['AUDIO', ['outputAudio']],
  ['IMAGE', ['outputImage']],
];

function modalities(name: string, usage: TokenUsage, parts: Modalities): object {
  const details = parts
    .map(([modality, classes]) => ({ modality, tokenCount: sumClasses(usage, classes) }))
    .filter(({ tokenCount }) => tokenCount !== null);
  // That all of it is text is what nobody needs to be told.
  return details.some(({ modality }) => modality !== 'TEXT') ? { [name]: details } : {};
}

function known(name: string, tokens: number | null): object {
  return tokens === null ? {} : { [name]: tokens };
}
