import type { ChangeOutcome, ExpectingVersion, Idempotent } from './change-outcome.ts';

/** Changes of who owns keys: service accounts and users. Ids are uuids. */
export interface MemberChanges {
  readonly serviceAccountCreate: (input: Idempotent & { readonly name: string }) => Promise<ChangeOutcome<null>>;
  readonly serviceAccountUpdate: (
    input: ExpectingVersion & { readonly name?: string; readonly disabled?: boolean },
  ) => Promise<ChangeOutcome<null>>;
  readonly serviceAccountArchive: (input: ExpectingVersion) => Promise<ChangeOutcome<null>>;
  readonly userCreate: (input: Idempotent & { readonly email: string; readonly name: string }) => Promise<ChangeOutcome<null>>;
  readonly userUpdate: (input: ExpectingVersion & { readonly email?: string; readonly name?: string }) => Promise<ChangeOutcome<null>>;
  readonly userArchive: (input: ExpectingVersion) => Promise<ChangeOutcome<null>>;
}
