import { describe, expect, test } from 'vitest';
import type { ConfigDocument } from '../../../../schema/config/document.ts';
import { mintVirtualKey } from '../../../../schema/values/virtual-key.ts';
import { environmentState } from '../../../../services/cli/configuration/environment-state.ts';
import { fileState } from '../../../../services/cli/configuration/file-state.ts';
import { shippedPriceBook } from '../../../../services/pricing/price-book.ts';
import { priceVersion } from '../../../../services/pricing/price-sheet.ts';
import { systemRandom } from '../../../../services/runtime/random.ts';

const nowMs = Date.UTC(2026, 10, 21);
const resolution = (variables: Readonly<Record<string, string>> = {}) => ({
  priceBook: shippedPriceBook(),
  readCredential: (name: string) => variables[name] ?? null,
  nowMs,
});
const located = (...documents: ConfigDocument[]) => documents.map((document, index) => ({ document, location: `a.yaml:${index + 1}` }));
const apiVersion = 'turnpike/v1' as const;
const provider = (name: string): ConfigDocument => ({
  apiVersion,
  kind: 'Provider',
  metadata: { name },
  spec: { protocol: 'openai', baseUrl: 'https://acme.example/v1/', timeouts: { idle: 'PT1M' } },
});
const model = (name: string, price?: Extract<ConfigDocument, { kind: 'Model' }>['spec']['price']): ConfigDocument => ({
  apiVersion,
  kind: 'Model',
  metadata: { name },
  spec: price === undefined ? {} : { price },
});

test('a price per search is beside those of tokens', () => {
  const price = { perMillionTokens: { input: '0', output: '0' }, perSearch: '0.002', perRequest: '0.5' };
  const [ranking] = fileState(located(provider('acme'), model('acme/rerank', price)), resolution()).models;
  expect(ranking?.price?.sheet).toEqual({ standard: { input: '0', output: '0', search: '2000000000', request: '500000000000' } });
});

test('a price per million tokens, one from the catalogue, and none', () => {
  const { models } = fileState(
    located(
      provider('acme'),
      provider('openai'),
      model('acme/own', { perMillionTokens: { input: '0.15', output: '0.6' } }),
      model('acme/named', { catalogue: 'openai/gpt-5-mini' }),
      model('openai/gpt-5-mini'),
      model('acme/unknown'),
    ),
    resolution(),
  );
  const book = shippedPriceBook().sheetFor('openai', 'gpt-5-mini', nowMs);
  const version = book === null ? null : priceVersion(book);
  expect(models.map(({ price }) => price?.version ?? null)).toEqual([models[0]?.price?.version, version, version, null]);
  expect(models[0]?.price?.sheet).toMatchObject({ standard: { input: '150000', output: '600000' } });
});

test('timeouts become milliseconds, and a base URL loses its last slash', () => {
  const { providers } = fileState(located(provider('acme')), resolution());
  expect(providers).toMatchObject([{ baseUrl: 'https://acme.example/v1', options: { idleTimeoutMs: 60_000 } }]);
});

test('a provider is where it serves unless a base URL says otherwise, and only Azure has versions of its API', () => {
  const named = (name: string, spec: Extract<ConfigDocument, { kind: 'Provider' }>['spec']): ConfigDocument => ({
    apiVersion,
    kind: 'Provider',
    metadata: { name },
    spec,
  });
  const azure = { protocol: 'azure-openai', baseUrl: 'https://example.openai.azure.com/openai/', apiVersion: '2024-10-21' } as const;
  const { providers } = fileState(located(named('fast', { protocol: 'groq' }), named('azure', azure)), resolution());
  expect(providers).toEqual([
    { name: 'fast', protocol: 'groq', baseUrl: 'https://api.groq.com/openai/v1', credential: null, options: {} },
    {
      name: 'azure',
      protocol: 'azure-openai',
      baseUrl: 'https://example.openai.azure.com/openai',
      credential: null,
      options: { apiVersion: '2024-10-21' },
    },
  ]);
  const wrong = located(named('fast', { protocol: 'groq', apiVersion: '2024-10-21' }));
  expect(() => fileState(wrong, resolution())).toThrow(/a\.yaml:1: .*spec\.apiVersion/);
});

test('every reference that leads nowhere is named with file and line, and no secret is shown', () => {
  const key: ConfigDocument = { apiVersion, kind: 'Key', metadata: { name: 'shop' }, spec: { secret: { env: 'SHOP' } } };
  const wrong = located(provider('sim'), model('nowhere/x', { catalogue: 'nowhere/x' }), key);
  expect(() => fileState(wrong, resolution({ SHOP: 'not-a-key-at-all' }))).toThrow(
    /4 mistake\(s\)[\s\S]*a\.yaml:1: Provider sim: metadata\.name[\s\S]*a\.yaml:2: Model nowhere\/x: metadata\.name: there is no Provider[\s\S]*a\.yaml:2: .*spec\.price\.catalogue[\s\S]*a\.yaml:3: Key shop: spec\.secret\.env/,
  );
  expect(() => fileState(wrong, resolution({ SHOP: 'not-a-key-at-all' }))).not.toThrow(/not-a-key-at-all/);
});

test('a key takes its secret from the environment', () => {
  const secret = mintVirtualKey('ak', 'live', systemRandom.bytes);
  const key: ConfigDocument = { apiVersion, kind: 'Key', metadata: { name: 'shop' }, spec: { secret: { env: 'SHOP' }, team: 'Shop' } };
  expect(fileState(located(key), resolution({ SHOP: secret })).keys).toMatchObject([{ name: 'shop', secret, team: 'Shop' }]);
});

test('a credential in the environment makes its provider ready to use with priced models, unless a file defines it', () => {
  const state = environmentState(new Set(), resolution({ OPENAI_API_KEY: 'sk-x' }));
  expect(state.providers).toEqual([
    { name: 'openai', protocol: 'openai', baseUrl: 'https://api.openai.com/v1', credential: { env: 'OPENAI_API_KEY' }, options: {} },
  ]);
  expect(state.models.find(({ name }) => name === 'openai/gpt-5-mini')?.price).not.toBeNull();
  expect(JSON.stringify(state)).not.toContain('sk-x');
  expect(environmentState(new Set(['openai']), resolution({ OPENAI_API_KEY: 'sk-x' })).providers).toEqual([]);
});

test('what a found provider offers is whatever an endpoint is served for, and nothing else', () => {
  const variables = { OPENAI_API_KEY: 'x', COHERE_API_KEY: 'x', GROQ_API_KEY: 'x', ANTHROPIC_API_KEY: 'x', FIREWORKS_API_KEY: 'x' };
  const { models } = environmentState(new Set(), resolution(variables));
  const priceOf = new Map(models.map(({ name, price }) => [name, price]));
  for (const name of [
    'openai/gpt-5-pro',
    'openai/gpt-3.5-turbo-instruct',
    'openai/text-embedding-3-small',
    'openai/gpt-image-1',
    'openai/gpt-4o-mini-tts',
    'openai/whisper-1',
    'cohere/embed-v4.0',
    'groq/whisper-large-v3',
  ]) {
    expect([name, priceOf.get(name) ?? null]).not.toEqual([name, null]);
  }
  const { modelsOf } = shippedPriceBook();
  const pictures = modelsOf('fireworks').filter(({ mode }) => mode === 'image_generation');
  expect(pictures.length).toBeGreaterThan(0);
  for (const { model: name } of pictures) expect(priceOf.has(`fireworks/${name}`)).toBe(false);
});

describe('Bedrock is found in the environment', () => {
  const found = (variables: Readonly<Record<string, string>>) => environmentState(new Set(), resolution(variables));
  const elsewhere = { AWS_REGION: 'us-east-1', AWS_PROFILE: 'work', AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret' };

  test('by an API key of its own in a region, under that key', () => {
    const { providers, models } = found({ ...elsewhere, AWS_BEARER_TOKEN_BEDROCK: 'ABSK' });
    const baseUrl = 'https://bedrock-runtime.us-east-1.amazonaws.com';
    const credential = { env: 'AWS_BEARER_TOKEN_BEDROCK' };
    expect(providers).toEqual([{ name: 'bedrock', protocol: 'bedrock', baseUrl, credential, options: {} }]);
    expect(models.find(({ name }) => name === 'bedrock/us.amazon.nova-2-lite-v1:0')?.price).not.toBeNull();
    expect(found({ AWS_DEFAULT_REGION: 'cn-north-1', AWS_BEARER_TOKEN_BEDROCK: 'ABSK' }).providers).toMatchObject([
      { baseUrl: 'https://bedrock-runtime.cn-north-1.amazonaws.com.cn' },
    ]);
  });

  test('by a region that is named for it, under what the machine has', () => {
    const { providers } = found({ ...elsewhere, TURNPIKE_BEDROCK_REGION: 'eu-central-1' });
    expect(providers).toMatchObject([{ baseUrl: 'https://bedrock-runtime.eu-central-1.amazonaws.com', credential: null }]);
  });

  test.each<[why: string, variables: Readonly<Record<string, string>>]>([
    ['a machine has credentials of AWS for other reasons', elsewhere],
    ['nothing says where', { AWS_BEARER_TOKEN_BEDROCK: 'ABSK' }],
    ['the region is none', { AWS_BEARER_TOKEN_BEDROCK: 'ABSK', AWS_REGION: 'evil.example/' }],
  ])('not where %s', (_why, variables) => {
    expect(found(variables)).toMatchObject({ providers: [], models: [] });
  });

  test('and a region that is none is refused where it was named for it', () => {
    expect(() => found({ TURNPIKE_BEDROCK_REGION: 'Frankfurt' })).toThrow(
      /TURNPIKE_BEDROCK_REGION: expected a region .* found "Frankfurt"/,
    );
  });

  test('with the models that can be called from there, each once, at the prices of the region', () => {
    const { models } = found({ TURNPIKE_BEDROCK_REGION: 'ap-south-1' });
    const names = models.map(({ upstreamModel }) => upstreamModel);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining(['apac.amazon.nova-lite-v1:0', 'global.anthropic.claude-sonnet-5', 'amazon.nova-lite-v1:0']),
    );
    expect(names.filter((name) => /^(?:us|eu|jp|au|us-gov)\.|[/@]|^claude/.test(name))).toEqual([]);
    expect(models.find(({ name }) => name === 'bedrock/deepseek.v3.2')?.price?.source).toContain('ap-south-1/deepseek.v3.2');
  });
});
