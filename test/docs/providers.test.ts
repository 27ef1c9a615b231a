import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROVIDER_PROTOCOLS } from '../../schema/values/provider-protocol.ts';
import { fileState } from '../../services/cli/configuration/file-state.ts';
import { shippedPriceBook } from '../../services/pricing/price-book.ts';
import { BEDROCK_VARIABLES } from '../../services/registry/bedrock-in-environment.ts';
import { readDocuments } from '../../services/registry/configuration/read-documents.ts';
import { KNOWN_PROVIDERS } from '../../services/registry/known-providers.ts';
import { PROVIDER_ACCESS } from '../../services/registry/provider-access.ts';

const page = await readFile(new URL('../../docs/providers.md', import.meta.url), 'utf8');

test.each(PROVIDER_PROTOCOLS)(
  'the page says of %s where it is, where its credential goes and what finds it, and has a table of it',
  (protocol) => {
    const row = page.split('\n').find((line) => line.startsWith(`| [\`${protocol}\`](#`)) ?? '';
    const [, link = '', baseUrl, credential = '', found = ''] = row.split('|').map((cell) => cell.trim());
    const { baseUrl: own, credentialHeader } = PROVIDER_ACCESS[protocol];
    expect(baseUrl).toBe(own === null ? 'to be named' : `\`${own}\``);
    const [header] = credentialHeader('x');
    expect(credential.toLowerCase()).toContain(header);
    const known = KNOWN_PROVIDERS.filter((provider) => provider.protocol === protocol).map(({ variable }) => variable);
    const variables = protocol === 'bedrock' ? BEDROCK_VARIABLES : known;
    expect([...found.matchAll(/`([A-Z_]+)`/g)].map(([, variable]) => variable)).toEqual(variables);
    const anchor = /\(#(.+)\)/.exec(link)?.[1] ?? '';
    const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading = '']) =>
      heading.toLowerCase().replaceAll(',', '').replaceAll(' ', '-'),
    );
    expect(headings).toContain(anchor);
  },
);

test('every configuration on the page is one, priced', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tp-docs-'));
  const path = join(folder, 'providers.yaml');
  await writeFile(path, [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text]) => text).join('---\n'));
  const resolution = { priceBook: shippedPriceBook(), readCredential: () => null, nowMs: Date.parse('2026-11-21T00:00:00Z') };
  const { providers, models } = fileState(await readDocuments(path), resolution);
  await rm(folder, { recursive: true });
  expect(providers.map(({ protocol }) => protocol)).toEqual(['azure-openai', 'bedrock', 'perplexity', 'vertex']);
  expect(models.map(({ name, price }) => [name, price !== null])).toEqual([
    ['azure/gpt-5-mini', true],
    ['bedrock/nova-2-lite', true],
    ['perplexity/sonar', true],
    ['vertex/gemini-2.5-pro', true],
  ]);
});
