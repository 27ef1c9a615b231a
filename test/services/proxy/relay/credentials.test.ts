import { expect, test } from 'vitest';
import type { ProviderProtocol } from '../../../../schema/values/provider-protocol.ts';
import { systemTimers } from '../../../../services/eventlog/timers.ts';
import { createCredentials } from '../../../../services/proxy/relay/credentials.ts';
import type { CompiledModel } from '../../../../services/proxy/snapshot/compiled-model.ts';
import type { CompiledCredential } from '../../../../services/registry/catalog/compiled-credentials.ts';
import { systemClock } from '../../../../services/runtime/clock.ts';
import { recordingLog } from '../../../harness/recording-log.ts';

const target = (protocol: ProviderProtocol, credential: CompiledCredential): CompiledModel => ({
  id: 'mdl_1',
  name: 'acme/large',
  provider: {
    id: 'prv_1',
    organizationId: null,
    name: 'acme',
    protocol,
    baseUrl: 'https://acme.example/v1',
    credential: null,
    options: {},
  },
  credential,
  upstreamModel: 'large',
  createdAt: 0,
  contextWindow: null,
  maxOutputTokens: null,
  prices: [],
});

const credentialsOf = (headers: readonly string[]): string[] =>
  headers.filter((_text, index, all) => ['authorization', 'api-key'].includes(all[index - (index % 2)] ?? ''));

test('a provider that is given another protocol is told the credential it had in the header it reads now', () => {
  let opened = 0;
  const reveal = (): string => {
    opened += 1;
    return 'sk-secret';
  };
  const credentials = createCredentials({ readCredential: () => null, clock: systemClock, timers: systemTimers, log: recordingLog() });
  const credential: CompiledCredential = { kind: 'sealed', id: 'crd_1', reveal };
  const openai = target('openai', credential);
  expect(credentialsOf(credentials.headersFor(openai))).toEqual(['authorization', 'Bearer sk-secret']);
  // Made once: it is looked at with every request.
  expect(credentials.headersFor(openai)).toBe(credentials.headersFor(openai));
  expect(opened).toBe(1);
  expect(credentialsOf(credentials.headersFor(target('azure-openai', credential)))).toEqual(['api-key', 'sk-secret']);
});

test('a provider without a credential is called without one, and one whose variable is not set is not called, which is told once', () => {
  const log = recordingLog();
  const credentials = createCredentials({ readCredential: () => null, clock: systemClock, timers: systemTimers, log });
  expect(credentialsOf(credentials.headersFor(target('ollama', { kind: 'none' })))).toEqual([]);
  for (const _attempt of [1, 2]) {
    expect(() => credentials.headersFor(target('groq', { kind: 'environment', variable: 'GROQ_API_KEY' }))).toThrow(
      "the gateway's own credential",
    );
  }
  expect(log.lines.filter((line) => line.includes('GROQ_API_KEY'))).toHaveLength(1);
});

test('the identity of the machine is for providers of the installation, and no organization can have it sent to a server of its own', () => {
  const log = recordingLog();
  const credentials = createCredentials({ readCredential: () => null, clock: systemClock, timers: systemTimers, log });
  const shared = target('vertex', { kind: 'none' });
  const own = { ...shared, provider: { ...shared.provider, organizationId: 'org_1', name: 'own' } };
  expect(() => credentials.headersFor(own)).toThrow("the gateway's own credential");
  expect(log.lines.filter((line) => line.includes('own'))).toHaveLength(1);
});

test('what an organization sealed for Vertex has to be the key of a service account', () => {
  const log = recordingLog();
  const credentials = createCredentials({ readCredential: () => null, clock: systemClock, timers: systemTimers, log });
  const sealed = target('vertex', {
    kind: 'sealed',
    id: 'crd_1',
    reveal: () => '{"type":"external_account","token_url":"https://elsewhere.example"}',
  });
  expect(() => credentials.headersFor(sealed)).toThrow("the gateway's own credential");
  expect(log.lines.join('')).toContain('neither the key of a service account');
});
