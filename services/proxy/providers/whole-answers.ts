import type { AnswerReader } from './provider.ts';

/** The answers of an endpoint that never streams. */
export function wholeAnswers({ readAnswer, readRefusal }: Pick<AnswerReader, 'readAnswer' | 'readRefusal'>): AnswerReader {
  return {
    isStream: () => false,
    readAnswer,
    createStreamReader: () => {
      throw new TypeError('this endpoint answers nothing piece by piece');
    },
    readRefusal,
  };
}
