import type { ProviderProtocol } from '../../../schema/values/provider-protocol.ts';
import type { CompiledCredential } from '../../registry/catalog/compiled-credentials.ts';
import { PROVIDER_ACCESS } from '../../registry/provider-access.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import { fixedRequestHeaders } from './request-headers.ts';

export interface CredentialsOptions {
  /** The credential in an environment variable, or null. Never logged. */
  readonly readCredential: (variable: string) => string | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** What authorizes the gateway with its providers. */
export interface Credentials {
  /** Headers every call to the target's provider has, made once; null when its credential is not there, which the operator is told once. */
  headersFor(target: CompiledModel): readonly string[] | null;
  /** Called when the provider refused the credential: the operator is told, once a minute at most for each provider. */
  rejected(provider: string, status: number): void;
}

const TELL_AGAIN_MS = 60_000;
const WITHOUT_CREDENTIAL = fixedRequestHeaders([]);

/** Makes the headers of each credential when first needed: the environment of a process does not change. */
export function createCredentials(options: CredentialsOptions): Credentials {
  const { readCredential, clock, log } = options;
  /** With the protocol they were made for: a provider may be given another while its credential stays. */
  const made = new WeakMap<CompiledCredential, { readonly protocol: ProviderProtocol; readonly headers: readonly string[] | null }>();
  const toldAt = new Map<string, number>();
  const tellOnce = (provider: string, tell: () => void): void => {
    const now = clock.monotonic();
    const before = toldAt.get(provider);
    if (before !== undefined && now - before < TELL_AGAIN_MS) return;
    toldAt.set(provider, now);
    tell();
  };

  const secretOf = (credential: Exclude<CompiledCredential, { kind: 'none' }>): string | null =>
    credential.kind === 'environment' ? readCredential(credential.variable) : credential.reveal();

  return {
    headersFor: ({ provider, credential }) => {
      if (credential.kind === 'none') return WITHOUT_CREDENTIAL;
      const { protocol } = provider;
      const known = made.get(credential);
      if (known?.protocol === protocol) return known.headers;
      const secret = secretOf(credential);
      if (credential.kind === 'environment' && secret === null) {
        tellOnce(provider.name, () =>
          log.error(
            { provider: provider.name, variable: credential.variable },
            'the variable that holds the credential of a provider is not set',
          ),
        );
      }
      const headers = secret === null ? null : fixedRequestHeaders(PROVIDER_ACCESS[protocol].credentialHeader(secret));
      made.set(credential, { protocol, headers });
      return headers;
    },
    rejected: (provider, status) =>
      tellOnce(provider, () => log.error({ provider, status }, 'a provider refused the credential of the gateway')),
  };
}
