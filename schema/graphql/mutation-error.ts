import { builder } from './builder.ts';
import type { ChangeError, ChangeErrorCode } from './ports/change-outcome.ts';

const typeOfCode = {
  VERSION_CONFLICT: 'VersionConflict',
  NOT_FOUND: 'NotFound',
  INVALID_INPUT: 'InvalidInput',
  NAME_TAKEN: 'NameTaken',
  MANAGED_BY_FILE: 'ManagedByFile',
  IDEMPOTENCY_KEY_REUSED: 'IdempotencyKeyReused',
  IDEMPOTENCY_IN_PROGRESS: 'IdempotencyInProgress',
} as const satisfies Record<ChangeErrorCode, string>;

/** Why a mutation was refused. A new reason is a new type, which old clients read through the interface. */
export const MutationError = builder.interfaceRef<ChangeError>('MutationError').implement({
  description: 'Why a mutation was refused.',
  resolveType: (error) => typeOfCode[error.code],
  fields: (t) => ({
    code: t.exposeString('code'),
    message: t.exposeString('message'),
    path: t.exposeStringList('path', { description: 'The offending field of `input`, outermost first; empty where it is none.' }),
  }),
});

function plainError(code: ChangeErrorCode, description: string): void {
  builder.objectType(builder.objectRef<ChangeError>(typeOfCode[code]), { description, interfaces: [MutationError], fields: () => ({}) });
}

plainError('NOT_FOUND', 'There is no such object, or it belongs to another organization.');
plainError('INVALID_INPUT', 'The input is well formed, but not valid.');
plainError('NAME_TAKEN', 'Another live object has this name.');
plainError('MANAGED_BY_FILE', 'The object is owned by a configuration file; change it there.');
plainError('IDEMPOTENCY_KEY_REUSED', 'The idempotency key was used for another input within 48 hours.');
plainError('IDEMPOTENCY_IN_PROGRESS', 'A request with this idempotency key is under way; ask again for its answer.');

builder.objectType(builder.objectRef<ChangeError>(typeOfCode.VERSION_CONFLICT), {
  description: 'Somebody else changed the object since it was read.',
  interfaces: [MutationError],
  fields: (t) => ({
    current: t.node({
      description: 'The object as it is now.',
      id: ({ current }) => current,
    }),
  }),
});
