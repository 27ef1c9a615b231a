import { GraphQLError } from 'graphql';
import { idFromUuid } from '../values/ids.ts';
import { builder } from './builder.ts';
import { MutationError } from './mutation-error.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';

/** What every mutation answers, next to its entity. */
export const MutationPayload = builder.interfaceRef<ChangeOutcome<unknown>>('MutationPayload').implement({
  description: 'What every mutation answers: the entity, or `errors`.',
  fields: (t) => ({
    errors: t.field({ type: [MutationError], description: 'Empty where the change was made.', resolve: (outcome) => outcome.errors }),
    replayed: t.exposeBoolean('replayed', { description: 'This answers an earlier request with the same idempotency key.' }),
    auditEventId: t.id({
      nullable: true,
      description: 'Null where nothing had to change.',
      resolve: ({ auditEventId }) => (auditEventId === null ? null : idFromUuid('auditEvent', auditEventId)),
    }),
    cursor: t.expose('cursor', {
      type: 'Cursor',
      nullable: true,
      description: 'A stream that resumes from it sees this change and all that follow.',
    }),
  }),
});

/** How long an idempotency key may be, and how it is described wherever one is taken. */
export const idempotencyKeyField = {
  required: true,
  description: 'Chosen by you, 1 to 255 characters. The same key and input within 48 hours give the same answer and change nothing more.',
} as const;

export const expectedVersionField = {
  required: true,
  description: 'The `version` you read; refused as `VersionConflict` where it moved on.',
} as const;

/**
 * Runs a change so that input refused while it is parsed becomes an `InvalidInput` in the payload, as the convention wants,
 * instead of a top-level error.
 */
export async function payloadOf<Outcome extends ChangeOutcome<unknown>>(
  run: () => Promise<Outcome>,
): Promise<Outcome | (ChangeOutcome<never> & { readonly secret: null })> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof GraphQLError) || error.extensions.code !== 'BAD_USER_INPUT') throw error;
    return {
      entityId: null,
      row: null,
      errors: [{ code: 'INVALID_INPUT', message: error.message, path: ['input'], current: null }],
      replayed: false,
      auditEventId: null,
      cursor: null,
      secret: null,
    };
  }
}
