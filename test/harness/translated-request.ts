import { GatewayError } from '../../schema/errors.ts';
import type { ProviderProtocol } from '../../schema/values/provider-protocol.ts';
import type { CallContext, Operation, PreparedCall } from '../../services/proxy/providers/provider.ts';
import { PROVIDERS } from '../../services/proxy/providers/registry.ts';
import type { CompiledModel } from '../../services/proxy/snapshot/compiled-model.ts';
import { testTarget } from './test-target.ts';

/** The dialects of applications that a request is written in, each with one that says `hello` and nothing else. */
export const DIALECTS = {
  chat: { title: 'chat completions', hello: { model: 'm', messages: [{ role: 'user', content: 'hello' }] } },
  messages: { title: 'messages', hello: { model: 'm', max_tokens: 2_048, messages: [{ role: 'user', content: 'hello' }] } },
  responses: { title: 'responses', hello: { model: 'm', input: 'hello' } },
};
export type Dialect = keyof typeof DIALECTS;

/** What of a request went to its provider, and what the application is told of the rest; null: it was refused. */
export interface Translated {
  readonly body: string;
  readonly notCarried: readonly string[];
}

const CONTEXT: CallContext = { requestId: 'req_1', nowMs: 0, modelRequested: 'm', headers: {}, isSharedAccount: false };

/** What a provider is asked where an application says that besides `hello`. @param model the provider's name of it. */
export function translatedRequest(dialect: Dialect, fields: object, protocol: ProviderProtocol, model: string): Translated | null {
  const { operations } = PROVIDERS[protocol];
  const target = targetOf(protocol, model);
  const prepared = <Request extends object>(operation: Operation<Request> | undefined, hello: Request): PreparedCall => {
    if (operation === undefined) throw new Error(`${protocol} does not serve it`);
    const request = { ...hello, ...fields };
    return operation({ request, media: null, bytes: Buffer.from(JSON.stringify(request)), outputTokens: null }, target, CONTEXT);
  };
  const call = (): PreparedCall => {
    switch (dialect) {
      case 'chat':
        return prepared(operations.chatCompletions, DIALECTS.chat.hello);
      case 'messages':
        return prepared(operations.messages, DIALECTS.messages.hello);
      case 'responses':
        return prepared(operations.responses, DIALECTS.responses.hello);
    }
  };
  try {
    const { body, notCarried } = call();
    return { body: body.toString('utf8'), notCarried };
  } catch (error) {
    if (error instanceof GatewayError && error.status === 400) return null;
    throw error;
  }
}

/** OpenAI is itself here, but for the Responses API, which it then takes translated. */
function targetOf(protocol: ProviderProtocol, upstreamModel: string): CompiledModel {
  const target = { ...testTarget(protocol), upstreamModel, maxOutputTokens: 64_000 };
  if (protocol !== 'openai') return target;
  return { ...target, provider: { ...target.provider, baseUrl: 'https://api.openai.com/v1', options: { servesResponses: false } } };
}
