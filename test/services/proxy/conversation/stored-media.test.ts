import { expect, test } from 'vitest';
import { parseImageEdit } from '../../../../services/proxy/body/image-edit-request.ts';
import { bridged } from '../../../../services/proxy/conversation/bridge.ts';
import { refuseStored } from '../../../../services/proxy/conversation/stored-media.ts';
import { chatCompletionsDialect } from '../../../../services/proxy/dialects/chat-completions/chat-completions-dialect.ts';
import { converseDialect } from '../../../../services/proxy/providers/bedrock/bedrock-provider.ts';
import { nativeGenerateContent } from '../../../../services/proxy/providers/gemini/native.ts';
import { PROVIDERS } from '../../../../services/proxy/providers/registry.ts';
import { testTarget } from '../../../harness/test-target.ts';

const context = (isSharedAccount: boolean) => ({ requestId: 'req_1', nowMs: 0, modelRequested: 'm', headers: {}, isSharedAccount });
const asked = <Request>(request: Request) => ({ bytes: Buffer.from(JSON.stringify(request)), media: null, request, outputTokens: null });

const picture = (url: string) => ({
  model: 'm',
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 's3://only/said' },
        { type: 'image_url', image_url: { url } },
      ],
    },
  ],
});
const converse = bridged(chatCompletionsDialect, converseDialect);
const ask = (url: string, isShared: boolean) => converse(asked(picture(url)), testTarget('bedrock'), context(isShared));
const stored = 's3://bucket-of-another/picture.png';

test('what is in a store is read with the account of one organization, never with one that several share', () => {
  expect(ask(stored, false).body.toString()).toContain('"s3Location"');
  expect(() => ask(stored, true)).toThrow(/an account that several organizations share/);
  expect(() => ask(stored, true)).not.toThrow(/bucket-of-another/);
  expect(() => ask('data:image/png;base64,AAAA', true)).not.toThrow();
});

test("the same in Google's own dialect, also for what a tool gave", () => {
  const generate = nativeGenerateContent('/models/');
  const file = { fileData: { fileUri: 'gs://bucket/a.pdf' } };
  const inTool = { functionResponse: { name: 'f', response: {}, parts: [{ file_data: { file_uri: 'gs://bucket/a.pdf' } }] } };
  const atGoogle = { fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc-123' } };
  for (const part of [file, inTool, atGoogle]) {
    const contents = [{ role: 'user', parts: [{ text: 'gs://only/said' }, part] }];
    const request = { model: 'm', method: 'generateContent', isEventStream: false, body: { contents } } as const;
    expect(() => generate(asked(request), testTarget('vertex'), context(true))).toThrow(/several organizations share/);
    expect(() => generate(asked(request), testTarget('vertex'), context(false))).not.toThrow();
  }
});

test("content that Google keeps for one organization is not another's to go on with", () => {
  const generate = nativeGenerateContent('/models/');
  const contents = [{ role: 'user', parts: [{ text: 'cachedContents/only-said' }] }];
  for (const cached of [{ cachedContent: 'cachedContents/1' }, { cached_content: 'cachedContents/1' }]) {
    const request = { model: 'm', method: 'generateContent', isEventStream: false, body: { contents, ...cached } } as const;
    expect(() => generate(asked(request), testTarget('gemini'), context(true))).toThrow(/several organizations share/);
    expect(() => generate(asked(request), testTarget('gemini'), context(false))).not.toThrow();
  }
});

test('an address that only has files in its path is an address', () => {
  expect(() => refuseStored('https://example.com/files/a.png')).not.toThrow();
  expect(() => refuseStored('files/abc-123')).toThrow(/several organizations share/);
});

test('a picture to change is sent, not named, where several organizations share the account', () => {
  const edit = PROVIDERS.openai.operations.imageEdits;
  const request = parseImageEdit({ model: 'm', prompt: 'bluer', images: [{ file_id: 'file-1' }] });
  expect(() => edit?.(asked(request), testTarget('openai'), context(true))).toThrow(/several organizations share/);
  expect(() => edit?.(asked(request), testTarget('openai'), context(false))).not.toThrow();
});
