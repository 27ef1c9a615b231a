import { builder } from './builder.ts';
import { DeadLetter } from './dead-letter.ts';
import { requireUuid } from './global-id.ts';
import { idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';

const DeadLetterPayload = (name: string, description: string) =>
  builder.objectRef<ChangeOutcome<null>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({ deadLetter: t.field({ type: DeadLetter, nullable: true, description, resolve: ({ entityId }) => entityId }) }),
  });

const RetryInput = builder.inputType('DeadLetterRetryInput', {
  fields: (t) => ({ idempotencyKey: t.string(idempotencyKeyField), id: t.id({ required: true }) }),
});
const DiscardInput = builder.inputType('DeadLetterDiscardInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    id: t.id({ required: true }),
    reason: t.string({ required: true, description: '1 to 500 characters; stands in the audit log.' }),
  }),
});

builder.mutationFields((t) => ({
  deadLetterRetry: t.field({
    type: DeadLetterPayload('DeadLetterRetryPayload', 'RETRYING: the ledger takes it next. Ask again for what became of it.'),
    description:
      'Has the ledger take the event again from its original bytes, in a transaction of its own: it is posted, once, or open again with ' +
      'the reason in `retryReason`.',
    authScopes: { permission: 'dead_letter:retry' },
    args: { input: t.arg({ type: RetryInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.deadLetterRetry({ ...input, id: requireUuid('DeadLetter', input.id) })),
  }),
  deadLetterDiscard: t.field({
    type: DeadLetterPayload('DeadLetterDiscardPayload', 'DISCARDED.'),
    description:
      'Puts a dead letter aside for good. Its bytes, headers and key are erased, personal data among them; facts and a hash remain. What its event had debited of budgets is settled, since its call may have been made (`settledHolds`): nothing is released.',
    authScopes: { permission: 'dead_letter:discard' },
    args: { input: t.arg({ type: DiscardInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.deadLetterDiscard({ ...input, id: requireUuid('DeadLetter', input.id) })),
  }),
}));
