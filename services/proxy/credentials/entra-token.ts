import { readFile } from 'node:fs/promises';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { request } from 'undici';
import type { Clock } from '../../runtime/clock.ts';
import { isFields, textOf } from '../body/json-fields.ts';
import type { AccessToken, CredentialOrigin, FetchToken } from './access-token.ts';
import { CredentialFault } from './credential-fault.ts';

const AUTHORITY = 'https://login.microsoftonline.com';
const RESOURCE = 'https://cognitiveservices.azure.com';
/** Answers who runs on a machine of Azure, and nobody else. */
const MACHINE = 'http://169.254.169.254/metadata/identity/oauth2/token';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const MAX_ANSWER_BYTES = 64 * 1024;

const strict = { additionalProperties: false } as const;
const Id = Type.String({ pattern: '^[A-Za-z0-9.-]{1,128}$' });
const Authority = Type.Optional(Type.String({ pattern: '^https?://[^/?#\\s]+$', maxLength: 256 }));
const ClientSecret = Type.Object({ tenantId: Id, clientId: Id, clientSecret: Type.String({ minLength: 1 }), authority: Authority }, strict);
const Workload = Type.Object(
  { tenantId: Id, clientId: Id, federatedTokenFile: Type.String({ minLength: 1 }), authority: Authority },
  strict,
);
const Machine = Type.Object({ managedIdentity: Type.Literal(true), clientId: Type.Optional(Id) }, strict);
const isClientSecret = Compile(ClientSecret);
const isWorkload = Compile(Workload);
const isMachine = Compile(Machine);

export interface EntraOptions extends CredentialOrigin {
  readonly clock: Clock;
  /** Where a machine asks for its own identity; where Azure has that. */
  readonly machineUrl?: string;
}

/** Whether a credential of Azure is one of Entra ID; an API key is no JSON. */
export function isEntraCredential(secret: string): boolean {
  return secret.trimStart().startsWith('{');
}

/**
 * Access tokens of Entra ID (Azure AD) for Azure's models: by the secret of an application, by a token that its workload is given in a file, or by the
 * identity of the machine. Three requests of OAuth 2, by its RFCs 6749 and 7523. @throws {CredentialFault}
 */
export function entraToken(secret: string, { isOperators, clock, machineUrl = MACHINE }: EntraOptions): FetchToken {
  const credential = parsed(secret);
  if (isClientSecret.Check(credential)) {
    const { tenantId, clientId, clientSecret, authority = AUTHORITY } = credential;
    if (!isOperators && !authority.startsWith('https://'))
      throw new CredentialFault('the authority of the credential is not asked without TLS');
    return (signal) =>
      ask(clock, `${authority}/${tenantId}/oauth2/v2.0/token`, form({ client_id: clientId, client_secret: clientSecret }), signal);
  }
  if (!isOperators) throw new CredentialFault('the credential has to be tenantId, clientId and clientSecret');
  if (isWorkload.Check(credential)) {
    const { tenantId, clientId, federatedTokenFile, authority = AUTHORITY } = credential;
    return async (signal) => {
      // Read each time: it is replaced where it is.
      const assertion = (await readFile(federatedTokenFile, { encoding: 'utf8', signal })).trim();
      const fields = { client_id: clientId, client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
      return ask(clock, `${authority}/${tenantId}/oauth2/v2.0/token`, form(fields), signal);
    };
  }
  if (isMachine.Check(credential)) {
    const query = new URLSearchParams({ 'api-version': '2018-02-01', resource: RESOURCE });
    if (credential.clientId !== undefined) query.set('client_id', credential.clientId);
    return (signal) => ask(clock, `${machineUrl}?${query}`, null, signal);
  }
  throw new CredentialFault('the credential has to be tenantId and clientId with clientSecret or federatedTokenFile, or managedIdentity');
}

function parsed(secret: string): unknown {
  try {
    return JSON.parse(secret);
  } catch {
    // The error would quote the secret.
    throw new CredentialFault('the credential is no valid JSON');
  }
}

function form(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams({ grant_type: 'client_credentials', scope: `${RESOURCE}/.default`, ...fields }).toString();
}

/** @param body of a POST; null: the machine is asked. */
async function ask(clock: Clock, url: string, body: string | null, signal: AbortSignal): Promise<AccessToken> {
  const askedAtMs = clock.now();
  const { statusCode, body: answer } = await request(url, {
    method: body === null ? 'GET' : 'POST',
    headers: body === null ? { metadata: 'true' } : { 'content-type': 'application/x-www-form-urlencoded' },
    body,
    signal,
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer with the token is too large');
    chunks.push(bytes);
  }
  const value = fieldsIn(Buffer.concat(chunks).toString('utf8'));
  const token = textOf(value.access_token);
  // Machines are told it as a text.
  const lifeSeconds = Number(value.expires_in);
  if (statusCode !== 200 || token === null || !(lifeSeconds > 0)) {
    throw new Error(`Entra ID answered HTTP ${statusCode} ${(textOf(value.error) ?? 'without a token').slice(0, 64)}`);
  }
  return { token, expiresAtMs: askedAtMs + lifeSeconds * 1_000 };
}

function fieldsIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : {};
  } catch {
    return {};
  }
}
