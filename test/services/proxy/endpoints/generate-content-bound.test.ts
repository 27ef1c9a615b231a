import { expect, test } from 'vitest';
import type { GenerateContentBody } from '../../../../schema/http/generate-content.ts';
import { generateContentBound } from '../../../../services/proxy/endpoints/generate-content-bound.ts';
import { nativeGenerateContent } from '../../../../services/proxy/providers/gemini/native.ts';
import { testTarget } from '../../../harness/conversations.ts';

const MODEL = { contextWindow: 1_000_000, maxOutputTokens: 65_536, prices: [] };
const text = { text: 'hello' };

function request(fields: object) {
  const body: GenerateContentBody = { contents: [{ role: 'user', parts: [text] }], ...fields };
  return { model: 'gemini/model', method: 'generateContent', isEventStream: false, body } as const;
}

function bounded(fields: object) {
  const asked = request(fields);
  const bytes = Buffer.from(JSON.stringify(asked.body));
  return { ...generateContentBound(asked, bytes, MODEL, null), bytes: bytes.length };
}

test('text is bounded by its bytes, what is not in them by the context of the model', () => {
  const plain = bounded({});
  expect(plain.input).toBeLessThan(10_000);
  const calls = [{ functionCall: { name: 'f', args: {} } }, { functionResponse: { name: 'f', response: {} } }, { thoughtSignature: 'x' }];
  expect(bounded({ contents: [{ parts: [text, ...calls] }] }).input).toBeLessThan(10_000);
  for (const unseen of [
    { contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: '' } }] }] },
    { contents: [{ parts: [{ file_data: { file_uri: 'https://a' } }] }] },
    { contents: [{ parts: [{ functionResponse: { name: 'f', response: {}, parts: [{ inlineData: {} }] } }] }] },
    { tools: [{ google_search: {} }] },
    { cachedContent: 'cachedContents/1' },
  ]) {
    expect(bounded(unseen).input).toBeGreaterThanOrEqual(1_000_000);
  }
});

test('of a limit and of a number of answers the largest counts, in whichever spelling', () => {
  const config = {
    generationConfig: { maxOutputTokens: 10, candidateCount: 2 },
    generation_config: { max_output_tokens: 30, candidate_count: 1 },
  };
  expect(bounded(config).output).toBe(60);
  expect(bounded({}).output).toBe(65_536);
});

test('a limit that a route sets is written where the request has its others, and no digit is lost', () => {
  const operation = nativeGenerateContent('/models/');
  const prepared = (fields: string): string => {
    const bytes = Buffer.from(`{"contents":[{"parts":[{"text":"a"}]}],"id":12345678901234567890${fields}}`);
    const asked = { bytes, media: null, request: request({}), outputTokens: 7 };
    return operation(asked, testTarget('m'), {
      requestId: 'req_1',
      nowMs: 0,
      modelRequested: 'gemini/m',
      headers: {},
      isSharedAccount: false,
    }).body.toString('utf8');
  };
  expect(prepared('')).toContain('"id":12345678901234567890,"generationConfig":{"maxOutputTokens":7}');
  expect(prepared(',"generation_config":{"topK":1}')).toContain('"generation_config":{"topK":1,"maxOutputTokens":7}');
});
