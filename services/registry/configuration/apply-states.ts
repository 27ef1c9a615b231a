import type { Secrets } from '../../runtime/secrets.ts';
import type { Change } from '../change.ts';
import { applyKeys } from './apply-keys.ts';
import { applyProviders } from './apply-providers.ts';
import type { DesiredState } from './desired-state.ts';

/** Brings the registry to what each owner wants, in order of precedence, each under its own name in the audit. */
export async function applyStates(change: Change, states: readonly DesiredState[], secrets: Secrets): Promise<void> {
  for (const state of states) {
    const byOwner: Change = {
      ...change,
      actor: { kind: state.owner === 'file' ? 'file' : 'system', id: state.owner, name: state.owner },
    };
    await applyProviders(byOwner, state);
    await applyKeys(byOwner, state, secrets);
  }
}
