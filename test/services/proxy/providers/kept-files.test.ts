import { expect, test } from 'vitest';
import { GatewayError } from '../../../../schema/errors.ts';
import type { ChatCompletionRequest } from '../../../../schema/http/chat-completions.ts';
import type { MessagesRequest } from '../../../../schema/http/messages.ts';
import type { ProviderProtocol } from '../../../../schema/values/provider-protocol.ts';
import type { CallContext } from '../../../../services/proxy/providers/provider.ts';
import { PROVIDERS } from '../../../../services/proxy/providers/registry.ts';
import { testTarget } from '../../../harness/test-target.ts';

const context = (isSharedAccount: boolean): CallContext => ({
  requestId: 'req_1',
  nowMs: 0,
  modelRequested: 'm',
  headers: {},
  isSharedAccount,
});

/** Where a request is refused; null: it goes out. */
function refusedAt(protocol: ProviderProtocol, endpoint: 'chat' | 'messages', fields: object, isShared = true): string | null {
  const { chatCompletions, messages } = PROVIDERS[protocol].operations;
  const request: ChatCompletionRequest & MessagesRequest = {
    model: 'm',
    messages: [{ role: 'user', content: 'hello' }],
    max_tokens: 9,
    ...fields,
  };
  const asked = { request, bytes: Buffer.from(JSON.stringify(request)), media: null, outputTokens: null };
  try {
    if (endpoint === 'chat') chatCompletions?.(asked, testTarget(protocol), context(isShared));
    else messages?.(asked, testTarget(protocol), context(isShared));
    return null;
  } catch (error) {
    if (error instanceof GatewayError) return error.param;
    throw error;
  }
}

const said = (...content: object[]): object => ({ messages: [{ role: 'user', content: [{ type: 'text', text: 'see' }, ...content] }] });
const chatFile = said({ type: 'file', file: { file_id: 'file-1' } });
const document = { type: 'document', source: { type: 'file', file_id: 'file_1' } };

test.each<[what: string, ProviderProtocol, 'chat' | 'messages', fields: object, place: string]>([
  ['a file', 'openai', 'chat', chatFile, 'messages[0]'],
  ['a file that goes to another dialect', 'anthropic', 'chat', chatFile, 'messages'],
  ['a document', 'anthropic', 'messages', said(document), 'messages[0]'],
  ['a document in a result', 'anthropic', 'messages', said({ type: 'tool_result', tool_use_id: 'c', content: [document] }), 'messages[0]'],
  ['a file for a container', 'anthropic', 'messages', said({ type: 'container_upload', file_id: 'file_1' }), 'messages[0]'],
  ['a container', 'anthropic', 'messages', { container: 'container_1' }, 'container'],
  ['a document that goes to another dialect', 'openai', 'messages', said(document), 'messages'],
])('%s that is kept in an account of several organizations cannot be named', (_what, protocol, endpoint, fields, place) => {
  expect(refusedAt(protocol, endpoint, fields)).toBe(place);
  expect(refusedAt(protocol, endpoint, fields, false)).toBeNull();
});

test('what is sent itself is nobody else’s', () => {
  const file = said({ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' } });
  for (const protocol of ['openai', 'anthropic'] as const) expect(refusedAt(protocol, 'chat', file)).toBeNull();
  expect(refusedAt('anthropic', 'messages', { container: { skills: [] } })).toBeNull();
});
