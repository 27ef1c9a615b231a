import type { AnswerEvent } from '../../../conversation/answer-event.ts';
import type { AnswerFacts } from '../../provider.ts';

/** What an answer says of its tier and its tokens, once it is whole. */
export function accountOf({ serviceTier, usage }: AnswerFacts): AnswerEvent[] {
  return [
    ...(serviceTier === null ? [] : [{ kind: 'service_tier' as const, tier: serviceTier }]),
    ...(usage === null ? [] : [{ kind: 'usage' as const, usage }]),
  ];
}
