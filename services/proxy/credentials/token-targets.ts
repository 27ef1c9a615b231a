import type { ProviderProtocol } from '../../../schema/values/provider-protocol.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { CompiledSnapshot } from '../snapshot/compiled-snapshot.ts';

/** What a token may be needed for: a provider and a credential with it. */
export type TokenTarget = Pick<CompiledModel, 'provider' | 'credential'>;

/** Those whose credentials may be something that tokens are got with. */
const PROTOCOLS: ReadonlySet<ProviderProtocol> = new Set(['azure-openai', 'vertex']);

/** Every credential of a snapshot that a token may be got with, as a provider has it or a route names it: so that it is there before the first request. */
export function tokenTargets({ providers, catalogs }: Pick<CompiledSnapshot, 'providers' | 'catalogs'>): TokenTarget[] {
  if (!providers.some(({ protocol }) => PROTOCOLS.has(protocol))) return [];
  const targets: TokenTarget[] = [];
  for (const catalog of [catalogs.shared, ...catalogs.own.values()]) {
    targets.push(...catalog.providers.values());
    for (const { choice } of catalog.routes.values()) for (const { target } of choice?.decisions ?? []) targets.push(target);
  }
  return targets.filter(({ provider }) => PROTOCOLS.has(provider.protocol));
}
