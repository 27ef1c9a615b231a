import { GatewayError } from '../../../schema/errors.ts';
import type { ProviderProtocol } from '../../../schema/values/provider-protocol.ts';
import type { Timers } from '../../eventlog/timers.ts';
import type { CompiledCredential } from '../../registry/catalog/compiled-credentials.ts';
import { bearer, PROVIDER_ACCESS } from '../../registry/provider-access.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { FetchToken } from '../credentials/access-token.ts';
import { isAwsCredential } from '../credentials/aws-credential.ts';
import type { SignCall } from '../credentials/bedrock-signers.ts';
import { createBedrockSigners } from '../credentials/bedrock-signers.ts';
import { CredentialFault } from '../credentials/credential-fault.ts';
import { entraToken, isEntraCredential } from '../credentials/entra-token.ts';
import { googleToken } from '../credentials/google-token.ts';
import type { RefreshedToken } from '../credentials/refreshed-token.ts';
import { createRefreshedToken } from '../credentials/refreshed-token.ts';
import type { TokenTarget } from '../credentials/token-targets.ts';
import { fixedRequestHeaders } from './request-headers.ts';

export interface CredentialsOptions {
  /** The credential in an environment variable, or null. Never logged. */
  readonly readCredential: (variable: string) => string | null;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

/** What authorizes the gateway with its providers. */
export interface Credentials {
  /**
   * Headers every call to the target's provider has, made once for each secret and token.
   * @throws {GatewayError} where its credential is not there, which the operator is told, or where its first token still comes.
   */
  headersFor(target: TokenTarget): readonly string[];
  /** What signs each call to the target's provider; null where it is let in by its headers alone. @throws {GatewayError} where it cannot be signed. */
  signerFor(target: TokenTarget): SignCall | null;
  /** Gets the tokens of these targets before a request needs them, and gives up those of all others. */
  use(targets: Iterable<TokenTarget>): void;
  /** Called when the provider refused the credential: the operator is told, once a minute at most for each provider. */
  rejected(provider: string, status: number): void;
  stop(): void;
}

/** Of a secret that stays, or of a token that is replaced. */
type Made =
  | { readonly kind: 'headers'; readonly headers: readonly string[] | null }
  | {
      readonly kind: 'token';
      readonly token: RefreshedToken;
      /** Of the token that is current. */
      made: { readonly token: string; readonly headers: readonly string[] } | null;
      /** No more refreshed. */
      isGivenUp: boolean;
    };

type TokenMade = Extract<Made, { kind: 'token' }>;

const TELL_AGAIN_MS = 60_000;
const WITHOUT_CREDENTIAL: Made = { kind: 'headers', headers: fixedRequestHeaders([]) };
const UNUSABLE: Made = { kind: 'headers', headers: null };

/** Makes the headers of each credential when first needed: the environment of a process does not change. */
export function createCredentials(options: CredentialsOptions): Credentials {
  const { readCredential, clock, timers, log } = options;
  /** With the protocol they were made for: a provider may be given another while its credential stays. */
  const made = new WeakMap<CompiledCredential, { readonly protocol: ProviderProtocol; readonly made: Made }>();
  /** By what they are got with, since a credential is compiled again with each snapshot. */
  const tokens = new Map<string, { readonly secret: string | null; readonly made: TokenMade }>();
  const toldAt = new Map<string, number>();
  const tellOnce = (provider: string, tell: () => void): void => {
    const now = clock.monotonic();
    const before = toldAt.get(provider);
    if (before !== undefined && now - before < TELL_AGAIN_MS) return;
    toldAt.set(provider, now);
    tell();
  };

  const secretOf = (credential: CompiledCredential): string | null => {
    if (credential.kind === 'none') return null;
    return credential.kind === 'environment' ? readCredential(credential.variable) : credential.reveal();
  };

  const giveUp = (key: string): void => {
    const known = tokens.get(key);
    if (known === undefined) return;
    known.made.token.stop();
    known.made.isGivenUp = true;
    tokens.delete(key);
  };

  const tokenOf = (key: string, secret: string | null, provider: string, fetchToken: () => FetchToken): Made => {
    const known = tokens.get(key);
    if (known?.secret === secret) return known.made;
    giveUp(key);
    try {
      const token = createRefreshedToken({
        fetchToken: fetchToken(),
        clock,
        timers,
        onFailure: (error) =>
          tellOnce(provider, () => log.error({ provider, error: wordsOf(error) }, 'an access token for a provider could not be got')),
      });
      const fresh: TokenMade = { kind: 'token', token, made: null, isGivenUp: false };
      tokens.set(key, { secret, made: fresh });
      return fresh;
    } catch (error) {
      if (!(error instanceof CredentialFault)) throw error;
      tellOnce(provider, () => log.error({ provider, error: error.message }, 'the credential of a provider cannot be used'));
      return UNUSABLE;
    }
  };

  const make = ({ provider, credential }: TokenTarget): Made => {
    const { protocol } = provider;
    const secret = secretOf(credential);
    if (credential.kind === 'environment' && secret === null) {
      tellOnce(provider.name, () =>
        log.error(
          { provider: provider.name, variable: credential.variable },
          'the variable that holds the credential of a provider is not set',
        ),
      );
    }
    if (secret === null && credential.kind !== 'none') return UNUSABLE;
    const isOperators = credential.kind !== 'sealed';
    const key = tokenKey(protocol, credential);
    if (protocol === 'vertex') return tokenOf(key, secret, provider.name, () => googleToken(secret, { isOperators }));
    if (secret === null) return WITHOUT_CREDENTIAL;
    if (protocol === 'azure-openai' && isEntraCredential(secret)) {
      return tokenOf(key, secret, provider.name, () => entraToken(secret, { isOperators, clock }));
    }
    // What signs never leaves the gateway.
    if (protocol === 'bedrock' && isAwsCredential(secret)) return WITHOUT_CREDENTIAL;
    return { kind: 'headers', headers: fixedRequestHeaders(PROVIDER_ACCESS[protocol].credentialHeader(secret)) };
  };

  /** What the machine is known by is the operator's: an organization that names a server of its own would be given it. */
  const ownIdentity = (target: TokenTarget): Made => {
    const { name, organizationId } = target.provider;
    if (organizationId === null) return make(target);
    tellOnce(name, () => log.error({ provider: name }, 'a provider of an organization has no credential'));
    return UNUSABLE;
  };

  const find = (target: TokenTarget): Made => {
    const { credential, provider } = target;
    // A provider without one is the same credential as any other without: what it means is its protocol's.
    if (credential.kind === 'none') return provider.protocol === 'vertex' ? ownIdentity(target) : WITHOUT_CREDENTIAL;
    const known = made.get(credential);
    if (known?.protocol === provider.protocol && !(known.made.kind === 'token' && known.made.isGivenUp)) return known.made;
    const fresh = make(target);
    made.set(credential, { protocol: provider.protocol, made: fresh });
    return fresh;
  };

  const bedrockSigners = createBedrockSigners({
    clock,
    onFault: (provider, words) =>
      tellOnce(provider, () => log.error({ provider, error: words }, 'calls to a provider cannot be signed with its credential')),
  });

  return {
    signerFor: (target) => {
      if (target.provider.protocol !== 'bedrock') return null;
      const secret = secretOf(target.credential);
      if (secret === null && target.credential.kind !== 'none') throw new GatewayError('upstream_credentials_rejected');
      return bedrockSigners(target, secret);
    },
    headersFor: (target) => {
      const found = find(target);
      if (found.kind === 'headers') {
        if (found.headers === null) throw new GatewayError('upstream_credentials_rejected');
        return found.headers;
      }
      const token = found.token.current();
      if (token === null) {
        if (found.token.isFailing()) throw new GatewayError('upstream_credentials_rejected');
        throw new GatewayError('upstream_unavailable', {
          message: "The gateway's access to the provider is being renewed.",
          retryAfterSeconds: 1,
        });
      }
      if (found.made?.token !== token) found.made = { token, headers: fixedRequestHeaders(bearer(token)) };
      return found.made.headers;
    },
    use: (targets) => {
      const used = new Set<string>();
      for (const target of targets) {
        find(target);
        used.add(tokenKey(target.provider.protocol, target.credential));
      }
      for (const key of tokens.keys()) if (!used.has(key)) giveUp(key);
    },
    rejected: (provider, status) =>
      tellOnce(provider, () => log.error({ provider, status }, 'a provider refused the credential of the gateway')),
    stop: () => {
      for (const key of tokens.keys()) giveUp(key);
    },
  };
}

/** A token is of a protocol and a credential, whichever providers have both. */
function tokenKey(protocol: ProviderProtocol, credential: CompiledCredential): string {
  if (credential.kind === 'none') return protocol;
  return `${protocol} ${credential.kind} ${credential.kind === 'environment' ? credential.variable : credential.id}`;
}

/** Why a token could not be got: the words of who was asked, never what was sent. */
function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300);
}
