import type { ActivatedTagTable } from './activated-tag.table.ts';
import type { ApiKeyTable } from './api-key.table.ts';
import type { ApiKeySecretTable } from './api-key-secret.table.ts';
import type { AuditEventTable } from './audit-event.table.ts';
import type { DeadLetterTable } from './dead-letter.table.ts';
import type { IdempotencyKeyTable } from './idempotency-key.table.ts';
import type { JournalHeadTable } from './journal-head.table.ts';
import type { JournalPositionTable } from './journal-position.table.ts';
import type { JournalUnsequencedTable } from './journal-unsequenced.table.ts';
import type { LedgerEntryTable } from './ledger-entry.table.ts';
import type { LogOffsetTable } from './log-offset.table.ts';
import type { LogTopicTable } from './log-topic.table.ts';
import type { ModelTable } from './model.table.ts';
import type { ModelPriceTable } from './model-price.table.ts';
import type { OrganizationTable } from './organization.table.ts';
import type { PriceVersionTable } from './price-version.table.ts';
import type { ProviderTable } from './provider.table.ts';
import type { RegistryRevisionTable } from './registry-revision.table.ts';
import type { RequestSubjectTable } from './request-subject.table.ts';
import type { TeamTable } from './team.table.ts';
import type { UsageRollupTable } from './usage-rollup.table.ts';

/** Every table, for Kysely. Instants are `Date`, 64-bit integers and `numeric(38, 0)` are `bigint`, uuids are text. */
export interface Database {
  organizations: OrganizationTable;
  teams: TeamTable;
  api_keys: ApiKeyTable;
  api_key_secrets: ApiKeySecretTable;
  providers: ProviderTable;
  price_versions: PriceVersionTable;
  models: ModelTable;
  model_prices: ModelPriceTable;
  activated_tags: ActivatedTagTable;
  registry_revision: RegistryRevisionTable;
  idempotency_keys: IdempotencyKeyTable;
  ledger_entries: LedgerEntryTable;
  request_subject: RequestSubjectTable;
  usage_minute: UsageRollupTable;
  usage_hour: UsageRollupTable;
  usage_day: UsageRollupTable;
  log_offsets: LogOffsetTable;
  log_topics: LogTopicTable;
  dead_letters: DeadLetterTable;
  audit_events: AuditEventTable;
  journal_positions: JournalPositionTable;
  journal_heads: JournalHeadTable;
  journal_unsequenced: JournalUnsequencedTable;
}
