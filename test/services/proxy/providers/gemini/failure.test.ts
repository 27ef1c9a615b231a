import { expect, test } from 'vitest';
import { readGoogleRefusal } from '../../../../../services/proxy/providers/gemini/failure.ts';
import { providerRecording } from '../../../../harness/provider-recordings.ts';

const google = (code: number, status: string, message: string, details: readonly object[] = []): Buffer =>
  Buffer.from(JSON.stringify({ error: { code, message, status, details } }));

test.each<[recording: string, said: object]>([
  ['gemini/generatecontent.sync.error-403', { status: 502, code: 'upstream_credentials_rejected', credentialRejected: true }],
  ['gemini/generatecontent.sync.error-404', { status: 404, code: 'NOT_FOUND', retryable: false }],
  ['gemini/generatecontent.sync.error-429-retry-info', { status: 429, code: 'RESOURCE_EXHAUSTED', retryAfter: '35', retryable: true }],
  ['gemini/generatecontent.sync.error-429.', { status: 429, code: 'RESOURCE_EXHAUSTED', retryAfter: '48', retryable: true }],
  ['gemini/generatecontent.sync.error-503', { status: 502, code: 'UNAVAILABLE', retryable: true }],
  ['vertex/generatecontent.sync.error-400', { status: 400, code: 'INVALID_ARGUMENT', retryable: false, credentialRejected: false }],
])('%s means what it means', (name, said) => {
  const { status, headers, bytes } = providerRecording(name);
  expect(readGoogleRefusal(status, headers, bytes)).toMatchObject(said);
});

test('a key that is not valid is the credential of the gateway, though it is a 400', () => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' }];
  const body = google(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', details);
  const refusal = readGoogleRefusal(400, {}, body);
  expect(refusal).toMatchObject({ status: 502, credentialRejected: true });
  expect(refusal.message).not.toContain('API key not valid');
});

test('a request beyond the context of the model says so', () => {
  const body = google(400, 'INVALID_ARGUMENT', 'The input token count (1200007) exceeds the maximum number of tokens allowed (1048576).');
  expect(readGoogleRefusal(400, {}, body)).toMatchObject({ status: 400, code: 'context_length_exceeded', retryable: false });
});

test('a refusal in a list, and one that is no JSON, are understood', () => {
  const listed = Buffer.from(JSON.stringify([{ error: { code: 429, message: 'Wait.', status: 'RESOURCE_EXHAUSTED' } }]));
  expect(readGoogleRefusal(429, {}, listed)).toMatchObject({ status: 429, code: 'RESOURCE_EXHAUSTED', message: 'Wait.' });
  expect(readGoogleRefusal(502, {}, Buffer.from('<html>'))).toMatchObject({ status: 502, code: null });
});
