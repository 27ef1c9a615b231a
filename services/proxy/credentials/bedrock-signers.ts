import { GatewayError } from '../../../schema/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import { awsCredential, isAwsCredential } from './aws-credential.ts';
import { createAwsSigner } from './aws-signer.ts';
import { createHeldIdentity } from './held-identity.ts';

/** Signs a call that is finished. @param path below the provider's base URL. @param headers flat. @returns the headers to add. */
export type SignCall = (method: string, path: string, headers: readonly string[], body: Buffer) => Promise<readonly string[]>;

export interface BedrockSignersOptions {
  readonly clock: Clock;
  /** Told, without a secret, why calls to a provider cannot be signed. */
  readonly onFault: (provider: string, words: string) => void;
}

/**
 * What signs the calls to a provider; null: they have an API key, which needs no signature.
 * @param secret of its credential; null: it has none, which is what the machine itself has. @throws {GatewayError} where it cannot be used.
 */
export type BedrockSigners = (target: Pick<CompiledModel, 'provider' | 'credential'>, secret: string | null) => SignCall | null;

/** More providers are not remembered: all are made again then. */
const MAX_SIGNERS = 1_024;
/** `bedrock-runtime.us-east-1.amazonaws.com`, also by its FIPS, VPC and Chinese names. */
const AWS_HOST = /(?:^|\.)bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|api\.aws)$/;

/** Makes what signs once for each provider and credential, so that what expires is held. */
export function createBedrockSigners({ clock, onFault }: BedrockSignersOptions): BedrockSigners {
  const made = new Map<string, { readonly secret: string | null; readonly sign: SignCall }>();

  const make = ({ provider, credential }: Parameters<BedrockSigners>[0], secret: string | null): SignCall => {
    // What the machine has is the operator's: an organization that names a server of its own would be given what it signs.
    const isOperators = credential.kind !== 'sealed' && provider.organizationId === null;
    const base = new URL(provider.baseUrl);
    const usedIn = AWS_HOST.exec(base.hostname)?.[1] ?? null;
    const found = awsCredential(secret, isOperators, usedIn);
    if (found === null) throw unusable(provider.name, 'it is none that signs for AWS, or one that only the operator may name');
    const region = usedIn ?? found.region;
    if (region === null) throw unusable(provider.name, 'neither it nor the base URL names a region');
    const sign = createAwsSigner({ service: 'bedrock', region, clock });
    const identity = createHeldIdentity(found.fetchIdentity, clock, (error) => onFault(provider.name, wordsOf(error)));
    const basePath = base.pathname.replace(/\/+$/, '');
    return async (method, path, headers, body) => {
      const url = new URL(basePath + path, base);
      return sign({ method, url, headers: signedHeaders(headers), body }, await identity());
    };
  };

  const unusable = (provider: string, words: string): GatewayError => {
    onFault(provider, words);
    return new GatewayError('upstream_credentials_rejected');
  };

  return (target, secret) => {
    if (secret !== null && !isAwsCredential(secret)) return null;
    const { provider, credential } = target;
    const key = `${provider.id} ${provider.baseUrl} ${credential.kind === 'sealed' ? credential.id : credential.kind}`;
    const known = made.get(key);
    if (known?.secret === secret) return known.sign;
    if (made.size >= MAX_SIGNERS) made.clear();
    const sign = make(target, secret);
    made.set(key, { secret, sign });
    return sign;
  };
}

/** What of a flat list of headers says what is asked for: the others may be changed on the way. */
function signedHeaders(headers: readonly string[]): Readonly<Record<string, string>> {
  const signed: Record<string, string> = {};
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]?.toLowerCase() ?? '';
    if (name === 'content-type' || name.startsWith('x-amzn-bedrock-')) signed[name] = headers[at + 1] ?? '';
  }
  return signed;
}

/** The words of who was asked, never what was sent. */
function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300);
}
