import { describe, expect, test } from 'vitest';
import type { ChatCompletionRequest } from '../../../../schema/http/chat-completions.ts';
import type { MessagesRequest } from '../../../../schema/http/messages.ts';
import type { ResponsesRequest } from '../../../../schema/http/responses.ts';
import type { ProviderProtocol } from '../../../../schema/values/provider-protocol.ts';
import { PROVIDER_PROTOCOLS } from '../../../../schema/values/provider-protocol.ts';
import { liftMedia } from '../../../../services/proxy/body/lifted-media.ts';
import { bodyLength, joined } from '../../../../services/proxy/body/sent-body.ts';
import type { Operation } from '../../../../services/proxy/providers/provider.ts';
import { PROVIDERS } from '../../../../services/proxy/providers/registry.ts';
import { testTarget } from '../../../harness/test-target.ts';

const context = { requestId: 'req_1', nowMs: 0, modelRequested: 'm', headers: {}, isSharedAccount: false };
const pictureOf = (bytes: number): string =>
  Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n\0', 'latin1'), Buffer.alloc(bytes, 'pixels')]).toString('base64');
const small = pictureOf(30);
const large = pictureOf(800_000);

/** What a provider is sent, with the large picture, lifted as it is on its way in, or with the small one in its place. */
function sent<Request>(operation: Operation<Request> | undefined, request: Request, protocol: ProviderProtocol): unknown {
  const bytes = Buffer.from(JSON.stringify(request));
  const media = liftMedia(bytes, () => 'f00d');
  const asked = { bytes, media, request: JSON.parse((media?.skeleton ?? bytes).toString()), outputTokens: null };
  const { body } = operation?.(asked, testTarget(protocol), context) ?? { body: Buffer.alloc(0) };
  expect(bodyLength(body) > 1_000_000).toBe(media !== null);
  return JSON.parse(joined(body).toString().replaceAll(large, small));
}

const chat = (data: string): ChatCompletionRequest => ({
  model: 'm',
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'what is it?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } },
      ],
    },
  ],
});
const message = (data: string): MessagesRequest => ({
  model: 'm',
  max_tokens: 9,
  messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data } }] }],
});
const response = (data: string): ResponsesRequest => ({
  model: 'm',
  input: [{ role: 'user', content: [{ type: 'input_image', image_url: `data:image/png;base64,${data}` }] }],
});

describe.each(PROVIDER_PROTOCOLS)('a large picture on its way to %s', (protocol) => {
  const { chatCompletions, messages, responses } = PROVIDERS[protocol].operations;

  test('is what a small one is, in every dialect it comes in', () => {
    expect(sent(chatCompletions, chat(large), protocol)).toEqual(sent(chatCompletions, chat(small), protocol));
    expect(sent(messages, message(large), protocol)).toEqual(sent(messages, message(small), protocol));
    expect(sent(responses, response(large), protocol)).toEqual(sent(responses, response(small), protocol));
  });
});
