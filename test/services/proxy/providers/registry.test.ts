import { expect, test } from 'vitest';
import { BATCHES } from '../../../../schema/http/batches.ts';
import { PROVIDER_ENDPOINTS, servesEndpoint } from '../../../../schema/http/endpoints.ts';
import { FILES } from '../../../../schema/http/files.ts';
import { PROVIDER_PROTOCOLS } from '../../../../schema/values/provider-protocol.ts';
import { transcriptions, translations } from '../../../../services/proxy/endpoints/audio-texts.ts';
import { chatCompletions } from '../../../../services/proxy/endpoints/chat-completions.ts';
import { completions } from '../../../../services/proxy/endpoints/completions.ts';
import { countContentTokens } from '../../../../services/proxy/endpoints/count-content-tokens.ts';
import { embedContent } from '../../../../services/proxy/endpoints/embed-content.ts';
import { embeddings } from '../../../../services/proxy/endpoints/embeddings.ts';
import { generateContent } from '../../../../services/proxy/endpoints/generate-content.ts';
import { imageEdits } from '../../../../services/proxy/endpoints/image-edits.ts';
import { imageGenerations } from '../../../../services/proxy/endpoints/image-generations.ts';
import { countTokens, messages } from '../../../../services/proxy/endpoints/messages.ts';
import { moderations } from '../../../../services/proxy/endpoints/moderations.ts';
import { rerank } from '../../../../services/proxy/endpoints/rerank.ts';
import { responses } from '../../../../services/proxy/endpoints/responses.ts';
import { speech } from '../../../../services/proxy/endpoints/speech.ts';
import { PROVIDERS } from '../../../../services/proxy/providers/registry.ts';

const endpoints = [
  chatCompletions,
  responses,
  completions,
  embeddings,
  rerank,
  moderations,
  imageGenerations,
  imageEdits,
  speech,
  messages,
  countTokens,
  generateContent,
  countContentTokens,
  embedContent,
  transcriptions,
  translations,
];

/** Those that are served where a provider keeps something. */
const ofAccounts: readonly string[] = [FILES, BATCHES];

test('every endpoint that providers answer is served', () => {
  expect([...endpoints.map(({ path }) => path), ...ofAccounts]).toEqual([...PROVIDER_ENDPOINTS]);
});

test.each(PROVIDER_PROTOCOLS)('%s serves the endpoints that the contract says, and no other', (protocol) => {
  const { operations, accountPath } = PROVIDERS[protocol];
  const served = endpoints.filter((endpoint) => endpoint.operation(operations) !== undefined).map(({ path }) => path);
  expect([...served, ...(accountPath === undefined ? [] : ofAccounts)]).toEqual(
    PROVIDER_ENDPOINTS.filter((path) => servesEndpoint(protocol, path)),
  );
});
