import { listIdentity } from '../../../schema/graphql/page.ts';
import type { UsageAnswer, UsageQuestion } from '../../../schema/graphql/ports/usage-reads.ts';

/** Answers that several streams ask for at the same place of the journal: one statement for all of them. */
export interface SharedReports {
  readonly share: (
    place: { readonly organizationId: string; readonly position: bigint },
    question: UsageQuestion,
    ask: () => Promise<UsageAnswer>,
  ) => Promise<UsageAnswer>;
}

/** Answers remembered at once; the oldest make room. */
const mostAnswers = 500;

/** Whoever watches the same numbers as somebody else costs nothing more. An answer is as old as the position it was asked at. */
export function createSharedReports(): SharedReports {
  const answers = new Map<string, { readonly position: bigint; readonly answer: Promise<UsageAnswer> }>();
  return {
    share: ({ organizationId, position }, question, ask) => {
      const key = `${organizationId} ${listIdentity('usage', question)}`;
      const kept = answers.get(key);
      // The one who asked first may have left in the middle of it; then the others ask themselves.
      if (kept?.position === position) return kept.answer.catch(ask);
      answers.delete(key);
      const oldest = answers.size >= mostAnswers ? answers.keys().next().value : undefined;
      if (oldest !== undefined) answers.delete(oldest);
      const answer = ask();
      answers.set(key, { position, answer });
      answer.catch(() => answers.get(key)?.answer === answer && answers.delete(key));
      return answer;
    },
  };
}
