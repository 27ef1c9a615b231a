import type { Variables } from './cluster-process.ts';
import { runVerb } from './cluster-process.ts';

/** The keys that a new installation's first organization begins with. */
export type InstallationKeys = { readonly adminKey: string; readonly demoKey: string };

/** Migrates the given servers. @param ownerUrl of the database, as who may change its schema. */
export async function migrateServers(variables: Variables, ownerUrl: string): Promise<void> {
  await runVerb('turnpike', ['migrate'], { ...variables, DATABASE_OWNER_URL: ownerUrl });
}

/** Sets given, migrated servers up as README says, with a running simulator as their provider. */
export async function bootstrapServers(variables: Variables, simulatorUrl: string): Promise<InstallationKeys> {
  const told = await runVerb('turnpike', ['bootstrap', '--simulator', simulatorUrl], variables);
  const keyOf = (kind: string): string => new RegExp(`^${kind} key +(tpk_\\S+)$`, 'm').exec(told)?.[1] ?? '';
  return { adminKey: keyOf('admin'), demoKey: keyOf('demo') };
}
