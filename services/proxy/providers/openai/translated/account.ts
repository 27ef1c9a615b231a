import type { AnswerEvent } from '../../../conversation/answer-event.ts';
import type { AnswerFacts } from '../../provider.ts';

/** What others call OpenAI's `default`: Mistral, Groq. */
const DEFAULT_TIERS: readonly string[] = ['standard', 'on_demand'];

/** What an answer says of its tier and its tokens, once it is whole. */
export function accountOf({ serviceTier, usage }: AnswerFacts): AnswerEvent[] {
  return [
    ...(serviceTier === null
      ? []
      : [{ kind: 'service_tier' as const, tier: DEFAULT_TIERS.includes(serviceTier) ? 'default' : serviceTier }]),
    ...(usage === null ? [] : [{ kind: 'usage' as const, usage }]),
  ];
}
