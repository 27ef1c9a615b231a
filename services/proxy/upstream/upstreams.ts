import type { SnapshotProvider } from '../../registry/snapshot.ts';
import type { Upstream } from './upstream.ts';
import { createUpstream } from './upstream.ts';

/** The upstreams of the snapshot in force. */
export interface Upstreams {
  /** Opens what is new, replaces what changed and closes what is gone, once its calls have ended. */
  use(providers: readonly SnapshotProvider[]): void;
  /** By the provider's name; null when the snapshot does not have it. */
  find(name: string): Upstream | null;
  /** Calls under way, by provider. */
  inFlight(): ReadonlyMap<string, number>;
  destroy(): Promise<void>;
}

/** Far longer than admission takes to become a call. */
const GRACE_MS = 5_000;

/** Keeps one upstream per provider; an unchanged provider keeps its warm connections through a change of others. */
export function createUpstreams(onCloseFailure: (error: unknown) => void): Upstreams {
  const open = new Map<string, { readonly upstream: Upstream; readonly settings: string }>();
  const closing = new Set<Upstream>();

  const retire = (upstream: Upstream): void => {
    closing.add(upstream);
    // A request admitted a moment ago may still be on its way to it.
    const timer = setTimeout(() => {
      upstream
        .close()
        .catch(onCloseFailure)
        .finally(() => closing.delete(upstream));
    }, GRACE_MS);
    timer.unref();
  };

  return {
    use: (providers) => {
      const named = new Set(providers.map((provider) => provider.name));
      for (const [name, { upstream }] of open) {
        if (named.has(name)) continue;
        open.delete(name);
        retire(upstream);
      }
      for (const provider of providers) {
        const settings = JSON.stringify(provider);
        const known = open.get(provider.name);
        if (known?.settings === settings) continue;
        open.set(provider.name, { upstream: createUpstream(provider), settings });
        if (known !== undefined) retire(known.upstream);
      }
    },
    find: (name) => open.get(name)?.upstream ?? null,
    inFlight: () => new Map([...open].map(([name, { upstream }]) => [name, upstream.inFlight()])),
    destroy: async () => {
      await Promise.all([...[...open.values()].map(({ upstream }) => upstream), ...closing].map((upstream) => upstream.destroy()));
      open.clear();
    },
  };
}
