import type { ColumnType } from 'kysely';
import type { KeyEnvironment } from '../values/virtual-key.ts';

/** A virtual key or an admin key; its secrets are in `api_key_secrets`, only as hashes. */
export interface ApiKeyTable {
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  team_id: string | null;
  user_id: string | null;
  service_account_id: string | null;
  kind: ColumnType<'ak' | 'sa' | 'pat' | 'adm', 'ak' | 'sa' | 'pat' | 'adm', never>;
  environment: ColumnType<KeyEnvironment, KeyEnvironment, never>;
  name: string;
  allowed_models: string[] | null;
  allowed_endpoints: string[] | null;
  allowed_cidrs: string[] | null;
  allowed_overrides: string[] | null;
  tags: Readonly<Record<string, string>>;
  metadata: Readonly<Record<string, string>>;
  permissions: string[];
  expires_at: Date | null;
  disabled_at: Date | null;
  revoked_at: Date | null;
  revoke_reason: string | null;
  /** Of an admin key only. */
  last_used_at: Date | null;
  rotate_every_seconds: number | null;
  /** How long a secret works on when its rotation is due; null: until it is rotated. */
  rotate_within_seconds: number | null;
  rotation_due_at: Date | null;
  /** When it was told that the rotation is due. */
  rotation_told_at: Date | null;
  managed_by: string | null;
  version: number;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
}
