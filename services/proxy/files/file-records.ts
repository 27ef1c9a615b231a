import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import type { Fields } from '../body/json-fields.ts';
import { isFields } from '../body/json-fields.ts';
import type { AccountReference } from './provider-account.ts';

/** A file of an organization. Ids of the registry are uuids. */
export interface FileRecord extends AccountReference {
  readonly organizationId: string;
  /** As the provider names it. */
  readonly id: string;
  readonly purpose: string | null;
  /** For the input of a batch: `provider/model`, and how its lines name it. */
  readonly model: { readonly name: string; readonly requested: string } | null;
}

/** Which files are listed, newest first unless said otherwise. */
export interface FileListing {
  readonly after: string | null;
  readonly limit: number;
  readonly ascending: boolean;
  readonly purpose: string | null;
}

/** One page, as providers described what is on it. */
export interface ListedPage {
  readonly objects: readonly unknown[];
  readonly hasMore: boolean;
}

/** Whose file is which (migrations/0038_provider_files.sql). An organization is told of its own. */
export interface FileRecords {
  /** Nothing happens where it is known. @param object as the provider described it; null: not yet. */
  add(file: FileRecord, object: Fields | null): Promise<void>;
  find(organizationId: string, id: string): Promise<FileRecord | null>;
  describe(organizationId: string, id: string, object: Fields): Promise<void>;
  remove(organizationId: string, id: string): Promise<void>;
  /** Those that a provider has described. Empty after one that is not there. */
  list(organizationId: string, listing: FileListing): Promise<ListedPage>;
}

/** @param db connections in role `writer`, whose statements time out. */
export function createFileRecords(db: Kysely<Database>): FileRecords {
  return {
    add: async ({ organizationId, id, providerId, credentialId, purpose, model }, object) => {
      await db
        .insertInto('provider_files')
        .values({
          organization_id: organizationId,
          id,
          provider_id: providerId,
          credential_id: credentialId,
          purpose,
          model: model?.name ?? null,
          model_requested: model?.requested ?? null,
          object: object === null ? null : JSON.stringify(object),
          created_at: sql<Date>`now()`,
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    find: async (organizationId, id) => {
      const row = await db
        .selectFrom('provider_files')
        .select(['provider_id', 'credential_id', 'purpose', 'model', 'model_requested'])
        .where('organization_id', '=', organizationId)
        .where('id', '=', id)
        .executeTakeFirst();
      if (row === undefined) return null;
      const { provider_id: providerId, credential_id: credentialId, purpose, model: name, model_requested: requested } = row;
      return {
        organizationId,
        id,
        providerId,
        credentialId,
        purpose,
        model: name === null ? null : { name, requested: requested ?? name },
      };
    },
    describe: async (organizationId, id, object) => {
      await db
        .updateTable('provider_files')
        .set({ object: JSON.stringify(object) })
        .where('organization_id', '=', organizationId)
        .where('id', '=', id)
        .execute();
    },
    remove: async (organizationId, id) => {
      await db.deleteFrom('provider_files').where('organization_id', '=', organizationId).where('id', '=', id).execute();
    },
    list: async (organizationId, { after, limit, ascending, purpose }) => {
      const rows = await db
        .selectFrom('provider_files')
        .select('object')
        .where('organization_id', '=', organizationId)
        .where('object', 'is not', null)
        .$if(purpose !== null, (query) => query.where('purpose', '=', purpose))
        .$if(after !== null, (query) =>
          query.where(
            sql<boolean>`(created_at, id) ${sql.raw(ascending ? '>' : '<')} (select created_at, id from provider_files where organization_id = ${organizationId} and id = ${after})`,
          ),
        )
        .orderBy('created_at', ascending ? 'asc' : 'desc')
        .orderBy('id', ascending ? 'asc' : 'desc')
        .limit(limit + 1)
        .execute();
      return {
        objects: rows
          .slice(0, limit)
          .map(({ object }) => object)
          .filter(isFields),
        hasMore: rows.length > limit,
      };
    },
  };
}
