import { readFile } from 'node:fs/promises';
import type { AuthClient, ExternalAccountClientOptions } from 'google-auth-library';
import type { Fields } from '../body/json-fields.ts';
import { isFields, textOf } from '../body/json-fields.ts';
import type { CredentialOrigin, FetchToken } from './access-token.ts';
import { CredentialFault } from './credential-fault.ts';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const TOKEN_URL = 'https://oauth2.googleapis.com/token';
/** Kinds that are nothing but what is in them. Others name files, programs and addresses: they are read from a file of the operator's. */
const SELF_CONTAINED: ReadonlySet<string> = new Set(['service_account', 'authorized_user']);

/**
 * Access tokens of Google Cloud.
 * @param secret the JSON of a service account's key or of an authorized user; the path of a file with any of Google's credentials; null: the application
 *   default credentials, which are those of the machine. @throws {CredentialFault}
 */
export function googleToken(secret: string | null, { isOperators }: CredentialOrigin): FetchToken {
  const credentials = secret === null ? null : credentialsOf(secret);
  const isOther = credentials !== null && !SELF_CONTAINED.has(textOf(credentials.type) ?? '');
  if (isOther || (!isOperators && credentials === null)) {
    throw new CredentialFault('the credential is neither the key of a service account nor that of an authorized user');
  }
  return async () => {
    const client = await clientOf(secret === null || credentials !== null ? credentials : await readCredentials(secret));
    const { token } = await client.getAccessToken();
    const { expiry_date: expiresAtMs } = client.credentials;
    if (typeof token !== 'string' || typeof expiresAtMs !== 'number') throw new Error('Google gave no access token');
    return { token, expiresAtMs };
  };
}

/** Each time anew: the library would keep a token until it is nearly over. */
async function clientOf(credentials: Fields | null): Promise<AuthClient> {
  // Not before somebody needs it: it is large.
  const { ExternalAccountClient, GoogleAuth, JWT, UserRefreshClient, gaxios } = await import('google-auth-library');
  if (credentials?.type === 'service_account') {
    const { client_email: email, private_key: key, private_key_id: keyId, token_uri: tokenUrl } = credentials;
    if (typeof email !== 'string' || typeof key !== 'string')
      throw new CredentialFault('the key of the service account has no private_key');
    const transporter = new gaxios.Gaxios();
    // The library asks Google whatever a key says of whom to ask.
    transporter.interceptors.request.add({
      resolved: async (options) =>
        typeof tokenUrl === 'string' && String(options.url) === TOKEN_URL ? { ...options, url: new URL(tokenUrl) } : options,
    });
    return new JWT({ email, key, scopes: [SCOPE], transporter, ...(typeof keyId === 'string' ? { keyId } : {}) });
  }
  if (credentials?.type === 'authorized_user') {
    const { client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken } = credentials;
    if (typeof clientId !== 'string' || typeof clientSecret !== 'string' || typeof refreshToken !== 'string') {
      throw new CredentialFault('the credential of the user has no refresh_token');
    }
    return new UserRefreshClient({ clientId, clientSecret, refreshToken });
  }
  if (credentials !== null) {
    const external = isExternal(credentials) ? ExternalAccountClient.fromJSON({ ...credentials, scopes: [SCOPE] }) : null;
    if (external === null) throw new CredentialFault(`credentials of Google of the type ${String(credentials.type)} are not known`);
    return external;
  }
  // The project is in the address of the provider; to find it the library would run a program.
  return new GoogleAuth({ scopes: [SCOPE], projectId: 'none' }).getClient();
}

function isExternal(credentials: Fields): credentials is Fields & ExternalAccountClientOptions {
  return credentials.type === 'external_account';
}

/** @throws {CredentialFault} without the path: who took a key for the place of one must not find it in the log. */
async function readCredentials(path: string): Promise<Fields | null> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new CredentialFault(`the credential is neither JSON nor the path of a file that can be read (${code})`);
  });
  const credentials = credentialsOf(text);
  if (credentials === null) throw new CredentialFault('the file of the credential holds no JSON');
  return credentials;
}

/** Null where it is no JSON of an object, hence a path. */
function credentialsOf(secret: string): Fields | null {
  if (!secret.trimStart().startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(secret);
    if (isFields(value)) return value;
  } catch {
    // The error would quote the secret.
  }
  throw new CredentialFault('the credential is no valid JSON');
}
