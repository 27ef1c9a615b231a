import type { FinishReason } from '../../conversation/answer-event.ts';

const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop_sequence'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'refused'],
  ['pause_turn', 'paused'],
]);

/** Why a message ended (providers.md section 4). One that is not known ended all the same. */
export function finishReasonOf(stopReason: string): FinishReason {
  return REASONS.get(stopReason) ?? 'stop';
}
