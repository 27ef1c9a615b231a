import type { CountTokensRequest, MessagesRequest } from '../../../../schema/http/messages.ts';
import { isFields, parseFields } from '../../body/json-fields.ts';
import { joined } from '../../body/sent-body.ts';
import { hostedBody, hostedMessage } from '../anthropic/claude-host.ts';
import { messageAnswers } from '../anthropic/native.ts';
import { FRAMES_CONTENT_TYPE, isFrameStream } from '../event-stream/frame-reader.ts';
import type { AnswerReader, Operation } from '../provider.ts';
import { NO_FACTS, NOTHING } from '../provider.ts';
import { bedrockHost, foundationModel } from './claude.ts';
import { readRefusal } from './failure.ts';
import { InvokedMessageStream } from './invoked-stream.ts';
import { modelPath } from './model-path.ts';

/** What Claude answers passes as it is; what Bedrock refuses it refuses in its own words. */
const invokedAnswers: AnswerReader = {
  isStream: isFrameStream,
  readAnswer: messageAnswers.readAnswer,
  createStreamReader: (_expected, sink) => new InvokedMessageStream(sink),
  readRefusal,
};

/** An application's own message to Claude, by InvokeModel: every value of it is its own, and so is every event of its answer. */
export const invokedMessages: Operation<MessagesRequest> = (asked, { upstreamModel }, { headers }) => {
  const { members, betas, notCarried } = hostedMessage(asked, headers, upstreamModel, bedrockHost);
  const isStream = asked.request.stream === true;
  return {
    path: modelPath(upstreamModel, isStream ? 'invoke-with-response-stream' : 'invoke'),
    body: hostedBody(asked.bytes, { ...members, ...betasIn(betas) }, ['stream']),
    headers: isStream ? ['accept', FRAMES_CONTENT_TYPE] : NOTHING,
    answers: invokedAnswers,
    notCarried,
  };
};

/** Counts are made of a request to InvokeModel, of a model and not of its profile. They cost nothing. */
export const countedMessages: Operation<CountTokensRequest> = (asked, { upstreamModel }, { headers }) => {
  const { members, betas, notCarried } = hostedMessage(asked, headers, upstreamModel, bedrockHost);
  const body = hostedBody(asked.bytes, { ...members, ...betasIn(betas), max_tokens: leastLimit(asked.request) }, ['stream']);
  return {
    path: modelPath(foundationModel(upstreamModel), 'count-tokens'),
    body: Buffer.from(`{"input":{"invokeModel":{"body":"${joined(body).toString('base64')}"}}}`, 'latin1'),
    headers: NOTHING,
    answers: countAnswers,
    notCarried,
  };
};

const countAnswers: AnswerReader = {
  ...invokedAnswers,
  isStream: () => false,
  readAnswer: (bytes) => {
    const tokens = parseFields(bytes)?.inputTokens;
    if (typeof tokens !== 'number') return null;
    return { facts: NO_FACTS, body: Buffer.from(`{"input_tokens":${tokens}}`, 'latin1'), refusal: null, billing: 'free' };
  },
};

function betasIn(betas: readonly string[]): Readonly<Record<string, string>> {
  return betas.length === 0 ? {} : { anthropic_beta: JSON.stringify(betas) };
}

/** It is wanted though nothing is answered, and has to be above the budget of thinking. */
function leastLimit(request: unknown): string {
  const thinking = isFields(request) && isFields(request.thinking) ? request.thinking.budget_tokens : null;
  return String(Number.isSafeInteger(thinking) ? Number(thinking) + 1 : 1);
}
