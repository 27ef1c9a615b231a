import type { ProviderProtocol } from '../../../../schema/values/provider-protocol.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import type { AskedChat, Operation, Provider } from '../provider.ts';
import { BILLING_OF_FAILURE, billingOfStatus } from './billing.ts';
import type { MeaningOf } from './failure.ts';
import { readRefusal } from './failure.ts';
import { prepareChat as prepareOpenaiChat } from './request.ts';
import { readChatAnswer } from './response.ts';
import { ChatStreamReader } from './stream.ts';
import type { ReadCost } from './usage.ts';

/** In what a provider that speaks OpenAI's dialect differs from it; what is left out is as OpenAI has it. */
export interface Peculiarities {
  /** Where an endpoint is found below the base URL. */
  readonly path?: (endpoint: string, target: CompiledModel) => string;
  readonly prepareChat?: Operation<AskedChat>['prepare'];
  /** OpenAI reports no cost. */
  readonly readCost?: ReadCost;
  /** What a refusal means, where the rules for all do not know it. */
  readonly meaningOf?: MeaningOf;
}

const sameEndpoint = (endpoint: string): string => endpoint;
const noCost: ReadCost = () => null;
const noMeaning: MeaningOf = () => null;

/** A provider that speaks OpenAI's dialect: the reading of it stands here once, each provider adds what it does in another way. */
export function openaiDialect(protocol: ProviderProtocol, peculiarities: Peculiarities = {}): Provider {
  const { path = sameEndpoint, prepareChat = prepareOpenaiChat, readCost = noCost, meaningOf = noMeaning } = peculiarities;
  return {
    protocol,
    chatCompletions: {
      path: (target) => path('/chat/completions', target),
      prepare: prepareChat,
      readAnswer: (bytes) => readChatAnswer(bytes, readCost),
      createStreamReader: (expected, sink) => new ChatStreamReader(expected, sink, readCost),
      readRefusal: (status, headers, body, requestId) => readRefusal(status, headers, body, requestId, meaningOf),
    },
    billingOfStatus,
    billingOfFailure: (kind) => BILLING_OF_FAILURE[kind],
  };
}
