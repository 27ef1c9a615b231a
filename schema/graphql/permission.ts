/** What an admin key may be allowed: `object:verb`. `installation:admin` reaches beyond the key's own organization. */
export const PERMISSIONS = [
  'organization:read',
  'organization:update',
  'team:read',
  'team:create',
  'team:update',
  'team:archive',
  'api_key:read',
  'api_key:create',
  'api_key:update',
  'api_key:rotate',
  'api_key:revoke',
  'model:read',
  'model:create',
  'model:update',
  'model:archive',
  'price:set',
  'provider:create',
  'provider:update',
  'provider:archive',
  'credential:read',
  'credential:create',
  'credential:update',
  'credential:rotate',
  'credential:revoke',
  'credential:verify',
  'route:read',
  'route:create',
  'route:update',
  'route:archive',
  'budget:read',
  'budget:create',
  'budget:update',
  'budget:archive',
  'budget:release',
  'alert_channel:read',
  'alert_channel:create',
  'alert_channel:update',
  'alert_channel:rotate',
  'alert_channel:archive',
  'alert_channel:send',
  'rate_limit:read',
  'rate_limit:create',
  'rate_limit:update',
  'rate_limit:archive',
  'service_account:read',
  'service_account:create',
  'service_account:update',
  'service_account:archive',
  'user:read',
  'user:create',
  'user:update',
  'user:archive',
  'ledger:read',
  'request:read',
  'usage:read',
  'audit:read',
  'dead_letter:read',
  'dead_letter:read_subject',
  'dead_letter:retry',
  'dead_letter:discard',
  'tag:read',
  'tag:activate',
  'installation:admin',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Everything inside the key's own organization, and nothing beyond it. */
export const EVERY_PERMISSION = '*';

/** Whether what a key was given covers what is asked. `*` never covers `installation:admin`. */
export function allows(granted: readonly string[], asked: string): boolean {
  return granted.includes(asked) || (asked !== 'installation:admin' && granted.includes(EVERY_PERMISSION));
}

/** Whether a text names something that can be granted. */
export function isGrantable(text: string): boolean {
  return text === EVERY_PERMISSION || PERMISSIONS.some((permission) => permission === text);
}

const permissionOfNode: Readonly<Record<string, Permission>> = {
  Organization: 'organization:read',
  Team: 'team:read',
  ApiKey: 'api_key:read',
  Provider: 'model:read',
  Model: 'model:read',
  PriceVersion: 'model:read',
  ProviderCredential: 'credential:read',
  Route: 'route:read',
  Budget: 'budget:read',
  AlertChannel: 'alert_channel:read',
  AlertDelivery: 'alert_channel:read',
  BudgetAlert: 'budget:read',
  RateLimit: 'rate_limit:read',
  ServiceAccount: 'service_account:read',
  User: 'user:read',
  Request: 'request:read',
  LedgerEntry: 'ledger:read',
  AuditEvent: 'audit:read',
  DeadLetter: 'dead_letter:read',
};

/** What it takes to ask for a node of a type by its id. A type that is not listed takes the most. */
export function permissionToRead(typename: string): Permission {
  return permissionOfNode[typename] ?? 'installation:admin';
}
