import type { SnapshotProvider } from '../../registry/snapshot.ts';
import type { Upstream } from './upstream.ts';
import { createUpstream } from './upstream.ts';

/** The upstreams of the snapshot in force. */
export interface Upstreams {
  /** Opens what is new, replaces what changed and closes what is gone, once its calls have ended. */
  use(providers: readonly SnapshotProvider[]): void;
  /** By the provider's id; null when the snapshot does not have it. */
  find(providerId: string): Upstream | null;
  /** Calls under way, by the provider's name; providers of several organizations may share one. */
  inFlight(): ReadonlyMap<string, number>;
  destroy(): Promise<void>;
}

/** Far longer than admission takes to become a call. */
const GRACE_MS = 5_000;

/** Keeps one upstream per provider; an unchanged provider keeps its warm connections through a change of others. */
export function createUpstreams(onCloseFailure: (error: unknown) => void): Upstreams {
  const open = new Map<string, { readonly name: string; readonly upstream: Upstream; readonly settings: string }>();
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
      const present = new Set(providers.map((provider) => provider.id));
      for (const [id, { upstream }] of open) {
        if (present.has(id)) continue;
        open.delete(id);
        retire(upstream);
      }
      for (const provider of providers) {
        const settings = JSON.stringify(provider);
        const known = open.get(provider.id);
        if (known?.settings === settings) continue;
        open.set(provider.id, { name: provider.name, upstream: createUpstream(provider), settings });
        if (known !== undefined) retire(known.upstream);
      }
    },
    find: (providerId) => open.get(providerId)?.upstream ?? null,
    inFlight: () => {
      const calls = new Map<string, number>();
      for (const { name, upstream } of open.values()) calls.set(name, (calls.get(name) ?? 0) + upstream.inFlight());
      return calls;
    },
    destroy: async () => {
      await Promise.all([...[...open.values()].map(({ upstream }) => upstream), ...closing].map((upstream) => upstream.destroy()));
      open.clear();
    },
  };
}
