import { expect, test } from 'vitest';
import { outputLimitField } from '../../../../../services/proxy/providers/openai/output-limit-field.ts';

test.each([
  ['https://api.openai.com/v1', 'max_completion_tokens'],
  ['https://eu.api.openai.com/v1', 'max_completion_tokens'],
  ['https://mine.openai.azure.com/openai/v1', 'max_completion_tokens'],
  ['https://api.openai.com.example/v1', 'max_tokens'],
  ['https://notapi.openai.com/v1', 'max_tokens'],
  ['https://api.mistral.ai/v1', 'max_tokens'],
  ['http://127.0.0.1:4200/v1', 'max_tokens'],
])('the limit of an answer by %s is told as %s', (baseUrl, field) => {
  expect(outputLimitField({ protocol: 'openai', baseUrl, options: {} })).toBe(field);
});

test('what Azure serves is told as OpenAI wants it, wherever it is', () => {
  const baseUrl = 'https://mine.services.ai.azure.com/openai/v1';
  expect(outputLimitField({ protocol: 'azure-openai', baseUrl, options: {} })).toBe('max_completion_tokens');
});

test('settings of a provider say it where its host does not', () => {
  expect(
    outputLimitField({ protocol: 'openai', baseUrl: 'https://llm.internal/v1', options: { outputLimitField: 'max_completion_tokens' } }),
  ).toBe('max_completion_tokens');
  expect(outputLimitField({ protocol: 'openai', baseUrl: 'https://api.openai.com/v1', options: { outputLimitField: 'max_tokens' } })).toBe(
    'max_tokens',
  );
});
