import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { AwsIdentity } from './aws-signer.ts';

/** An identity, and until when it is one; null: it stays. */
export interface HeldIdentity extends AwsIdentity {
  readonly expiration?: Date;
}

export type FetchIdentity = () => Promise<HeldIdentity>;

/** A credential for AWS, understood. */
export interface AwsCredential {
  /** Where it is used, if the credential says so. */
  readonly region: string | null;
  readonly fetchIdentity: FetchIdentity;
}

const strict = { additionalProperties: false } as const;
const Text = Type.String({ minLength: 1, maxLength: 4_096 });
const Region = Type.Optional(Type.String({ pattern: '^[a-z0-9-]{1,32}$' }));
const Role = { roleArn: Text, externalId: Type.Optional(Text), sessionName: Type.Optional(Text) };
const isKeys = Compile(
  Type.Object(
    {
      accessKeyId: Text,
      secretAccessKey: Text,
      sessionToken: Type.Optional(Text),
      region: Region,
      ...Type.Partial(Type.Object(Role)).properties,
    },
    strict,
  ),
);
const isProfile = Compile(Type.Object({ profile: Text, region: Region }, strict));
const isWebIdentity = Compile(Type.Object({ ...Role, webIdentityTokenFile: Text, region: Region }, strict));
const isRole = Compile(Type.Object({ ...Role, region: Region }, strict));
const SESSION_NAME = 'turnpike';

/** Whether a credential of Bedrock's is one that signs; its API keys are no JSON. */
export function isAwsCredential(secret: string): boolean {
  return secret.trimStart().startsWith('{');
}

/**
 * Reads a credential for AWS: keys, a role that they may take, and what only the operator may name, since it is the gateway's own: a profile, a role that
 * the machine may take, a token in a file. @param secret null: what the machine itself has. @param usedIn the region that it is used in, whose STS is asked
 *   unless the credential names one: another may be one of another partition. @returns null where it is none of these.
 */
export function awsCredential(secret: string | null, isOperators: boolean, usedIn: string | null): AwsCredential | null {
  // Not before somebody needs it: it is large.
  const library = () => import('@aws-sdk/credential-providers');
  if (secret === null) {
    return isOperators ? { region: null, fetchIdentity: async () => (await library()).fromNodeProviderChain(inRegion(usedIn))() } : null;
  }
  const value = parsed(secret);
  if (isKeys.Check(value)) {
    const { accessKeyId, secretAccessKey, sessionToken, region = null, roleArn, externalId, sessionName } = value;
    const keys = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    if (roleArn === undefined) return { region, fetchIdentity: () => Promise.resolve(keys) };
    const params = roleParams(roleArn, externalId, sessionName);
    return {
      region,
      fetchIdentity: async () =>
        (await library()).fromTemporaryCredentials({ params, masterCredentials: keys, ...inRegion(region ?? usedIn) })(),
    };
  }
  if (!isOperators) return null;
  if (isProfile.Check(value)) {
    const { profile, region = null } = value;
    return { region, fetchIdentity: async () => (await library()).fromIni({ profile, ...inRegion(region ?? usedIn) })() };
  }
  if (isWebIdentity.Check(value)) {
    const { roleArn, webIdentityTokenFile, sessionName = SESSION_NAME, region = null } = value;
    const role = { roleArn, webIdentityTokenFile, roleSessionName: sessionName, ...inRegion(region ?? usedIn) };
    return { region, fetchIdentity: async () => (await library()).fromTokenFile(role)() };
  }
  if (isRole.Check(value)) {
    const { roleArn, externalId, sessionName, region = null } = value;
    const params = roleParams(roleArn, externalId, sessionName);
    return { region, fetchIdentity: async () => (await library()).fromTemporaryCredentials({ params, ...inRegion(region ?? usedIn) })() };
  }
  return null;
}

function roleParams(roleArn: string, externalId: string | undefined, sessionName = SESSION_NAME) {
  return { RoleArn: roleArn, RoleSessionName: sessionName, ...(externalId === undefined ? {} : { ExternalId: externalId }) };
}

function inRegion(region: string | null): { readonly clientConfig?: { readonly region: string } } {
  return region === null ? {} : { clientConfig: { region } };
}

function parsed(secret: string): unknown {
  try {
    return JSON.parse(secret);
  } catch {
    return null;
  }
}
