import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import { sumClasses } from '../../../../schema/values/token-usage.ts';
import type { Citation, FinishReason } from '../../conversation/answer-event.ts';
import type { AnswerStamp } from '../../conversation/dialect.ts';

const STOP_REASONS: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  stop_sequence: 'stop_sequence',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  refused: 'refusal',
  paused: 'pause_turn',
};
/** OpenAI's name for its usual tier, and Anthropic's. */
const TIER_NAMES: ReadonlyMap<string, string> = new Map([['default', 'standard']]);

export function messageId({ requestId }: AnswerStamp): string {
  return `msg_${requestId.slice(requestId.indexOf('_') + 1)}`;
}

/** How a message ended (providers.md section 4). @param refusal what the model said in refusing, or null: words of it alone make an end a refusal. */
export function writeEnding(
  reason: FinishReason | null,
  stopSequence: string | null,
  refusal: string | null,
): { readonly stop_reason: string | null; readonly stop_sequence: string | null; readonly stop_details: object | null } {
  const refused = reason === 'refused' || (reason === 'stop' && refusal !== null);
  return {
    stop_reason: refused ? STOP_REASONS.refused : reason === null ? null : STOP_REASONS[reason],
    stop_sequence: stopSequence,
    stop_details: refused ? { type: 'refusal', category: null, explanation: refusal } : null,
  };
}

/** Usage as Anthropic tells it, cached tokens beside the input and thinking inside the output; null is what nobody knows, never 0. */
export function writeUsage(usage: TokenUsage | null, tier: string | null): object {
  if (usage === null) return { input_tokens: null, output_tokens: null };
  const { cacheRead, cacheWrite5m, cacheWrite1h, reasoning } = usage;
  return {
    input_tokens: sumClasses(usage, ['input', 'inputAudio', 'inputImage']),
    cache_creation_input_tokens: sumClasses(usage, ['cacheWrite5m', 'cacheWrite1h']),
    cache_read_input_tokens: cacheRead,
    cache_creation:
      cacheWrite5m === null && cacheWrite1h === null
        ? null
        : { ephemeral_5m_input_tokens: cacheWrite5m ?? 0, ephemeral_1h_input_tokens: cacheWrite1h ?? 0 },
    output_tokens: sumClasses(usage, ['output', 'reasoning', 'outputAudio', 'outputImage']),
    ...(reasoning === null ? {} : { output_tokens_details: { thinking_tokens: reasoning } }),
    ...(tier === null ? {} : { service_tier: TIER_NAMES.get(tier) ?? tier }),
  };
}

/** Null where it has no address: what else Anthropic cites are documents of the request, by their numbers in it. */
export function writeCitation({ title, url, quoted }: Citation): object | null {
  return url === null ? null : { type: 'web_search_result_location', cited_text: quoted ?? '', url, title, encrypted_index: '' };
}
