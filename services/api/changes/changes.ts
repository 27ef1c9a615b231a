import type { Viewer } from '../../../schema/graphql/context.ts';
import type { Changes } from '../../../schema/graphql/ports/changes.ts';
import { RegistryError } from '../../registry/change.ts';
import { createOrganization, updateOrganization } from '../../registry/organizations.ts';
import { INSTALLATION_ID } from '../../registry/seed.ts';
import { activateTag, deactivateTag } from '../../registry/tags.ts';
import { archiveTeam, createTeam, updateTeam } from '../../registry/teams.ts';
import type { Secrets } from '../../runtime/secrets.ts';
import { createAlertChannelChanges } from './alert-channel-changes.ts';
import { createApiKeyChanges } from './api-key-changes.ts';
import { createBudgetChanges } from './budget-changes.ts';
import { createDeadLetterChanges } from './dead-letter-changes.ts';
import { requireIdempotencyKey, requireName, requireSlug, requireTagKey } from './input-checks.ts';
import { createLeaseChanges } from './lease-changes.ts';
import { createMemberChanges } from './member-changes.ts';
import { createRateLimitChanges } from './rate-limit-changes.ts';
import { createRouteChanges } from './route-changes.ts';
import type { RunChange } from './run-change.ts';
import type { VerifyCredential } from './upstream-changes.ts';
import { createUpstreamChanges } from './upstream-changes.ts';

const tagActivated = 100;

/** The mutations of one viewer over the registry's writes. Input is checked here, before a transaction is begun. */
export function createChanges(run: RunChange, viewer: Viewer, secrets: Secrets, verify: VerifyCredential): Changes {
  const { organizationId } = viewer;
  return {
    ...createUpstreamChanges({ run, organizationId, secrets, verify }),
    ...createRouteChanges(run, organizationId),
    ...createMemberChanges(run, organizationId),
    ...createDeadLetterChanges(run, viewer),
    ...createApiKeyChanges(run, viewer, secrets),
    ...createBudgetChanges(run, organizationId),
    ...createLeaseChanges(run, organizationId),
    ...createAlertChannelChanges({ run, organizationId, secrets }),
    ...createRateLimitChanges(run, organizationId),
    organizationCreate: ({ idempotencyKey, slug, name }) => {
      const input = { slug: requireSlug(slug), name: requireName(name) };
      return run(
        // An act above organizations stands in the installation's own log.
        {
          field: 'organizationCreate',
          idempotencyKey: requireIdempotencyKey(idempotencyKey),
          input,
          organizationId: INSTALLATION_ID,
          target: null,
        },
        async (change) => {
          const { organization, auditEventId } = await createOrganization(change, input);
          return { entityId: organization.id, row: organization, auditEventId };
        },
      );
    },
    organizationUpdate: (given) => {
      const input = given.name === undefined ? given : { ...given, name: requireName(given.name) };
      const { id } = input;
      return run(
        { field: 'organizationUpdate', idempotencyKey: null, input, organizationId, target: { type: 'Organization', id } },
        async (change) => {
          if (id !== organizationId) throw new RegistryError('not_found', 'There is no such organization.', ['id']);
          const { organization, auditEventId } = await updateOrganization(change, input);
          return { entityId: organization.id, row: organization, auditEventId };
        },
      );
    },
    teamCreate: ({ idempotencyKey, name }) => {
      const input = { name: requireName(name) };
      return run(
        { field: 'teamCreate', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const { team, auditEventId } = await createTeam(change, input);
          return { entityId: team.id, row: team, auditEventId };
        },
      );
    },
    teamUpdate: ({ id, expectedVersion, name }) => {
      const input = { id, expectedVersion, name: requireName(name) };
      return run({ field: 'teamUpdate', idempotencyKey: null, input, organizationId, target: { type: 'Team', id } }, async (change) => {
        const { team, auditEventId } = await updateTeam(change, input);
        return { entityId: team.id, row: team, auditEventId };
      });
    },
    teamArchive: (input) =>
      run({ field: 'teamArchive', idempotencyKey: null, input, organizationId, target: { type: 'Team', id: input.id } }, async (change) => {
        const { team, auditEventId } = await archiveTeam(change, input);
        return { entityId: team.id, row: team, auditEventId };
      }),
    tagActivate: ({ idempotencyKey, tagKey }) => {
      const input = { tagKey: requireTagKey(tagKey) };
      return run(
        { field: 'tagActivate', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const active = await change.trx
            .selectFrom('activated_tags')
            .select('tag_key')
            .where('organization_id', '=', organizationId)
            .where('tag_key', '!=', tagKey)
            .execute();
          if (active.length >= tagActivated) throw new RegistryError('invalid', `At most ${tagActivated} tags are activated.`, ['tagKey']);
          const { auditEventId } = await activateTag(change, input);
          return { entityId: null, row: null, auditEventId };
        },
      );
    },
    tagDeactivate: ({ idempotencyKey, tagKey }) => {
      const input = { tagKey: requireTagKey(tagKey) };
      return run(
        { field: 'tagDeactivate', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const { auditEventId } = await deactivateTag(change, input);
          return { entityId: null, row: null, auditEventId };
        },
      );
    },
  };
}
