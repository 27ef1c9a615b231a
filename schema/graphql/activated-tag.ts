import { builder } from './builder.ts';
import { idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';
import type { ActivatedTagRow } from './ports/registry-reads.ts';

const ActivatedTag = builder.objectRef<ActivatedTagRow>('ActivatedTag').implement({
  description: 'A tag key with rollups of its own, so that usage can be grouped by it.',
  fields: (t) => ({ tagKey: t.exposeString('tag_key'), activatedAt: t.expose('activated_at', { type: 'DateTime' }) }),
});

builder.queryFields((t) => ({
  activatedTags: t.field({
    type: [ActivatedTag],
    description: 'By tag key; an organization has at most 100.',
    authScopes: { permission: 'tag:read' },
    resolve: (_root, _args, context) => context.registry.activatedTags(),
  }),
}));

const TagPayload = (name: string) =>
  builder.objectRef<ChangeOutcome<null>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({
      activatedTags: t.field({
        type: [ActivatedTag],
        description: 'As they are after the change.',
        resolve: (_outcome, _args, context) => context.registry.activatedTags(),
      }),
    }),
  });

const TagInput = builder.inputType('TagInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    tagKey: t.string({ required: true, description: '1 to 64 characters.' }),
  }),
});

builder.mutationFields((t) => ({
  tagActivate: t.field({
    type: TagPayload('TagActivatePayload'),
    description: 'Gives a tag key rollups from now on. Earlier requests carry the tag, but are not in them.',
    authScopes: { permission: 'tag:activate' },
    args: { input: t.arg({ type: TagInput, required: true }) },
    resolve: (_root, { input }, context) => payloadOf(() => context.changes.tagActivate(input)),
  }),
  tagDeactivate: t.field({
    type: TagPayload('TagDeactivatePayload'),
    description: 'Stops adding to the rollups of a tag key; what they hold stays.',
    authScopes: { permission: 'tag:activate' },
    args: { input: t.arg({ type: TagInput, required: true }) },
    resolve: (_root, { input }, context) => payloadOf(() => context.changes.tagDeactivate(input)),
  }),
}));
