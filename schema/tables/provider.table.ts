import type { ColumnType } from 'kysely';
import type { ProviderProtocol } from '../values/provider-protocol.ts';

/** An upstream that models are served by. `credential` says where the secret is, never what it is. */
export interface ProviderTable {
  id: ColumnType<string, string, never>;
  /** null = shared by the installation. */
  organization_id: ColumnType<string | null, string | null | undefined, never>;
  name: ColumnType<string, string, never>;
  protocol: ProviderProtocol;
  base_url: string;
  /** Only of shared providers; an organization's own secrets are in `provider_credentials`. */
  credential: { readonly env: string } | null;
  options: Readonly<Record<string, unknown>>;
  managed_by: string | null;
  version: number;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
  archived_at: Date | null;
}
