import type { CountTokensRequest, MessagesRequest } from '../../../../schema/http/messages.ts';
import { hostedBody, hostedMessage } from '../anthropic/claude-host.ts';
import { countAnswers, messageAnswers } from '../anthropic/native.ts';
import { readGoogleRefusal } from '../gemini/failure.ts';
import type { AnswerReader, Operation } from '../provider.ts';
import { NOTHING } from '../provider.ts';
import { COUNT_PATH, claudePath, isAnthropicsError, vertexHost } from './claude.ts';

/** An application's own message to Claude: every value of it is its own, and its answer passes as it is. */
export const rawMessages: Operation<MessagesRequest> = (asked, { upstreamModel }, { headers }) => {
  const { members, betas, notCarried } = hostedMessage(asked, headers, upstreamModel, vertexHost);
  return {
    path: claudePath(upstreamModel, asked.request.stream === true),
    body: hostedBody(asked.bytes, members, NOTHING),
    headers: betaHeaders(betas),
    answers: withGooglesWords(messageAnswers),
    notCarried,
  };
};

/** Of counts the body names the model. They cost nothing. */
export const rawCounts: Operation<CountTokensRequest> = (asked, { upstreamModel }, { headers }) => {
  const { members, betas, notCarried } = hostedMessage(asked, headers, upstreamModel, vertexHost);
  return {
    path: COUNT_PATH,
    body: hostedBody(asked.bytes, { ...members, model: JSON.stringify(upstreamModel) }, NOTHING),
    headers: betaHeaders(betas),
    answers: withGooglesWords(countAnswers),
    notCarried,
  };
};

function betaHeaders(betas: readonly string[]): readonly string[] {
  return betas.length === 0 ? NOTHING : ['anthropic-beta', betas.join(',')];
}

function withGooglesWords(answers: AnswerReader): AnswerReader {
  return {
    ...answers,
    readRefusal: (status, headers, body) => (isAnthropicsError(body) ? answers.readRefusal : readGoogleRefusal)(status, headers, body),
  };
}
