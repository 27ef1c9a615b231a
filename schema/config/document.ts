import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { ENDPOINTS } from '../http/endpoints.ts';
import { REQUEST_OVERRIDES } from '../http/request-overrides.ts';
import { OUTPUT_LIMIT_FIELDS } from '../values/output-cap.ts';
import { PROVIDER_PROTOCOLS, UNADDRESSED_PROTOCOLS } from '../values/provider-protocol.ts';

/**
 * Configuration documents: `apiVersion`, `kind`, `metadata.name`, `spec`; an unknown field is an error (reference/lessons.md section 4).
 * Money is a decimal string in USD, durations are ISO 8601, secrets are references and never values.
 */
export const CONFIG_API_VERSION = 'turnpike/v1';

const strict = { additionalProperties: false } as const;
const Name = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$', description: 'lower-case letters, digits and dashes, at most 63' });
/** `route/…` names routes. */
const ProviderName = Type.String({
  pattern: '^(?!route$)[a-z0-9][a-z0-9-]{0,62}$',
  description: 'lower-case letters, digits and dashes, at most 63, and not `route`',
});
const ModelName = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}/[^\\s]{1,190}$', description: 'provider/model' });
const Duration = Type.String({ pattern: '^P(?=.)[0-9WDTHMS.]+$', description: 'an ISO 8601 duration such as PT30S' });
const Usd = Type.String({ pattern: '^[0-9]{1,9}(\\.[0-9]{1,12})?$', description: 'a decimal amount of USD in quotes, such as "0.15"' });
const FromEnvironment = Type.Object(
  { env: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$', description: 'the name of an environment variable' }) },
  { ...strict, description: 'where the secret is: {env: NAME}; a secret itself never stands in a file' },
);
const StringMap = Type.Record(Type.String({ minLength: 1, maxLength: 64 }), Type.String({ maxLength: 256 }), {
  description: 'names and string values',
  maxProperties: 32,
});

const document = <Kind extends string, Metadata extends ReturnType<typeof Type.String>, Spec extends ReturnType<typeof Type.Object>>(
  kind: Kind,
  name: Metadata,
  spec: Spec,
) =>
  Type.Object(
    {
      apiVersion: Type.Literal(CONFIG_API_VERSION, { description: CONFIG_API_VERSION }),
      kind: Type.Literal(kind),
      metadata: Type.Object({ name }, strict),
      spec,
    },
    strict,
  );

const ApiVersion = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$',
  description: "a version of Azure's API such as 2024-10-21",
});

/** An upstream, and how it is spoken to. */
export const ProviderDocument = document(
  'Provider',
  ProviderName,
  Type.Object(
    {
      protocol: Type.Enum([...PROVIDER_PROTOCOLS], { description: PROVIDER_PROTOCOLS.join(', ') }),
      baseUrl: Type.Optional(
        Type.String({ pattern: '^https?://[^\\s?#]+$', description: 'an http(s) URL such as https://api.openai.com/v1' }),
      ),
      apiVersion: Type.Optional(ApiVersion),
      credential: Type.Optional(FromEnvironment),
      timeouts: Type.Optional(
        Type.Object({ connect: Type.Optional(Duration), firstByte: Type.Optional(Duration), idle: Type.Optional(Duration) }, strict),
      ),
      maxConnections: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, description: 'a number from 1 to 65535' })),
      onClientGone: Type.Optional(Type.Union([Type.Literal('drain'), Type.Literal('abort')], { description: 'drain or abort' })),
      outputLimitField: Type.Optional(
        Type.Union(
          OUTPUT_LIMIT_FIELDS.map((field) => Type.Literal(field)),
          { description: OUTPUT_LIMIT_FIELDS.join(' or ') },
        ),
      ),
      servesResponses: Type.Optional(Type.Boolean({ description: 'true or false' })),
    },
    {
      ...strict,
      if: { required: ['protocol'], properties: { protocol: { enum: [...UNADDRESSED_PROTOCOLS] } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ['baseUrl'] },
    },
  ),
);
export type ProviderDocument = Static<typeof ProviderDocument>;

/** A model of a provider, and its price: taken from the catalogue, stated per million tokens, or none (then it is unrated). */
export const ModelDocument = document(
  'Model',
  ModelName,
  Type.Object(
    {
      upstreamModel: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: "the provider's own name of the model" })),
      contextWindow: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'a number of tokens' })),
      maxOutputTokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'a number of tokens' })),
      price: Type.Optional(
        Type.Union(
          [
            Type.Object({ catalogue: Type.String({ minLength: 3, maxLength: 256 }) }, strict),
            Type.Object(
              {
                perMillionTokens: Type.Object(
                  {
                    input: Usd,
                    output: Usd,
                    cacheRead: Type.Optional(Usd),
                    cacheWrite5m: Type.Optional(Usd),
                    cacheWrite1h: Type.Optional(Usd),
                    reasoning: Type.Optional(Usd),
                    inputAudio: Type.Optional(Usd),
                    outputAudio: Type.Optional(Usd),
                    inputImage: Type.Optional(Usd),
                    outputImage: Type.Optional(Usd),
                  },
                  strict,
                ),
                perRequest: Type.Optional(Usd),
                perSearch: Type.Optional(Usd),
              },
              strict,
            ),
          ],
          { description: '{catalogue: provider/model} or {perMillionTokens: {input, output, …}}' },
        ),
      ),
    },
    strict,
  ),
);
export type ModelDocument = Static<typeof ModelDocument>;

/** A virtual key whose secret is made elsewhere and handed over in the environment. */
export const KeyDocument = document(
  'Key',
  Name,
  Type.Object(
    {
      secret: FromEnvironment,
      team: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'the name of a team; made where it is missing' })),
      allowedModels: Type.Optional(
        Type.Array(Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}/[^\\s]+$', description: 'provider/model or provider/*' }), {
          maxItems: 1_000,
        }),
      ),
      allowedEndpoints: Type.Optional(
        Type.Array(Type.Union(ENDPOINTS.map((path) => Type.Literal(path))), {
          minItems: 1,
          maxItems: 32,
          description: `endpoints: ${ENDPOINTS.join(', ')}`,
        }),
      ),
      allowedCidrs: Type.Optional(
        Type.Array(Type.String({ maxLength: 64, description: 'a block of addresses such as 10.0.0.0/8' }), { minItems: 1, maxItems: 64 }),
      ),
      allowedOverrides: Type.Optional(
        Type.Array(Type.Union(REQUEST_OVERRIDES.map((override) => Type.Literal(override))), {
          maxItems: REQUEST_OVERRIDES.length,
          description: `what requests may decide by a header: ${REQUEST_OVERRIDES.join(', ')}`,
        }),
      ),
      tags: Type.Optional(StringMap),
      metadata: Type.Optional(StringMap),
      expiresAt: Type.Optional(
        Type.String({
          pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,6})?Z$',
          description: 'an instant such as 2027-01-31T00:00:00Z',
        }),
      ),
    },
    strict,
  ),
);
export type KeyDocument = Static<typeof KeyDocument>;

export type ConfigDocument = ProviderDocument | ModelDocument | KeyDocument;
export type ConfigKind = ConfigDocument['kind'];

/** What each kind must look like, with its compiled check. */
export const CONFIG_KINDS = {
  Provider: { schema: ProviderDocument, check: Compile(ProviderDocument) },
  Model: { schema: ModelDocument, check: Compile(ModelDocument) },
  Key: { schema: KeyDocument, check: Compile(KeyDocument) },
} as const;
