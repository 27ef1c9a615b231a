import { COUNT_TOKENS } from '../../../../schema/http/messages.ts';
import { bridged } from '../../conversation/bridge.ts';
import type { ProviderDialect } from '../../conversation/dialect.ts';
import { chatCompletionsDialect } from '../../dialects/chat-completions/chat-completions-dialect.ts';
import { generateContentDialect } from '../../dialects/generate-content/generate-content-dialect.ts';
import { messagesDialect } from '../../dialects/messages/messages-dialect.ts';
import { responsesDialect } from '../../dialects/responses/responses-dialect.ts';
import { isFrameStream } from '../event-stream/frame-reader.ts';
import { onlyWhere } from '../only-where.ts';
import { BILLING_OF_FAILURE, billingOfStatus } from '../openai/billing.ts';
import type { Provider } from '../provider.ts';
import { bedrockAddresses } from './addresses.ts';
import { isClaude } from './claude.ts';
import { bedrockEmbeddings } from './embed.ts';
import { readRefusal } from './failure.ts';
import { countedMessages, invokedMessages } from './native.ts';
import { readBedrockUsage } from './reported-usage.ts';
import { writeRequest } from './request.ts';
import { readAnswer } from './response.ts';
import { ConverseStreamReader } from './stream.ts';

/** Bedrock's Converse and ConverseStream, the same for the models of all makers. */
export const converseDialect: ProviderDialect = {
  writeRequest,
  isStream: isFrameStream,
  readAnswer,
  createStreamReader: (sink) => new ConverseStreamReader(sink),
  readRefusal,
};

const converseMessages = bridged(messagesDialect, converseDialect);

export const bedrockProvider: Provider = {
  protocol: 'bedrock',
  operations: {
    chatCompletions: bridged(chatCompletionsDialect, converseDialect),
    messages: (asked, target, context) => (isClaude(target) ? invokedMessages : converseMessages)(asked, target, context),
    countTokens: onlyWhere(isClaude, COUNT_TOKENS, countedMessages),
    responses: bridged(responsesDialect, converseDialect),
    generateContent: bridged(generateContentDialect, converseDialect),
    embeddings: bedrockEmbeddings,
  },
  readUsage: readBedrockUsage,
  addresses: bedrockAddresses,
  billingOfStatus,
  billingOfFailure: (kind) => BILLING_OF_FAILURE[kind],
};
