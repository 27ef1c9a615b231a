import { GraphQLError } from 'graphql';
import type { Viewer } from '../../../schema/graphql/context.ts';
import { allows } from '../../../schema/graphql/permission.ts';
import type { Changes } from '../../../schema/graphql/ports/changes.ts';
import { createApiKey, revokeApiKey, rotateApiKey, updateApiKey } from '../../registry/api-keys.ts';
import type { Change } from '../../registry/change.ts';
import { RegistryError } from '../../registry/change.ts';
import { createOrganization, updateOrganization } from '../../registry/organizations.ts';
import { INSTALLATION_ID } from '../../registry/seed.ts';
import { activateTag, deactivateTag } from '../../registry/tags.ts';
import { archiveTeam, createTeam, updateTeam } from '../../registry/teams.ts';
import type { Secrets } from '../../runtime/secrets.ts';
import { createDeadLetterChanges } from './dead-letter-changes.ts';
import {
  requireCovered,
  requireGrantable,
  requireIdempotencyKey,
  requireModelPatterns,
  requireName,
  requireReason,
  requireSlug,
  requireTagKey,
} from './input-checks.ts';
import { createMemberChanges } from './member-changes.ts';
import { createRouteChanges } from './route-changes.ts';
import type { RunChange } from './run-change.ts';
import type { VerifyCredential } from './upstream-changes.ts';
import { createUpstreamChanges } from './upstream-changes.ts';

/** A new secret of a key is worth as much as the key: only who could have made it may have one. */
async function requireCoveredKey(change: Change, id: string, viewer: Viewer): Promise<void> {
  const key = await change.trx
    .selectFrom('api_keys')
    .select('permissions')
    .where('id', '=', id)
    .where('organization_id', '=', change.organizationId)
    .executeTakeFirst();
  requireCovered(key?.permissions ?? [], viewer.permissions);
}

async function requireOrganization(change: Change): Promise<void> {
  const found = await change.trx.selectFrom('organizations').select('id').where('id', '=', change.organizationId).executeTakeFirst();
  if (found === undefined) throw new RegistryError('not_found', 'There is no such organization.', ['organizationId']);
}

const tagActivated = 100;

/** The mutations of one viewer over the registry's writes. Input is checked here, before a transaction is begun. */
export function createChanges(run: RunChange, viewer: Viewer, secrets: Secrets, verify: VerifyCredential): Changes {
  const { organizationId } = viewer;
  return {
    ...createUpstreamChanges({ run, organizationId, secrets, verify }),
    ...createRouteChanges(run, organizationId),
    ...createMemberChanges(run, organizationId),
    ...createDeadLetterChanges(run, viewer),
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
    organizationUpdate: ({ id, expectedVersion, name }) => {
      const input = { id, expectedVersion, name: requireName(name) };
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
    apiKeyCreate: ({ idempotencyKey, organizationId: asked, ...fields }) => {
      const input = {
        ...fields,
        name: requireName(fields.name),
        allowedModels: requireModelPatterns(fields.allowedModels),
        permissions: requireGrantable(fields.permissions, viewer.permissions),
      };
      const target = asked ?? organizationId;
      if (target !== organizationId && !allows(viewer.permissions, 'installation:admin')) {
        throw new GraphQLError('This key may not make keys of another organization.', { extensions: { code: 'FORBIDDEN' } });
      }
      return run(
        {
          field: 'apiKeyCreate',
          idempotencyKey: requireIdempotencyKey(idempotencyKey),
          input: { ...input, organizationId: target },
          organizationId: target,
          target: null,
        },
        async (change) => {
          await requireOrganization(change);
          const { key, secret, auditEventId } = await createApiKey(change, input, secrets);
          return { entityId: key.id, row: key, auditEventId, secret };
        },
      );
    },
    apiKeyRotate: ({ idempotencyKey, ...input }) =>
      run(
        {
          field: 'apiKeyRotate',
          idempotencyKey: requireIdempotencyKey(idempotencyKey),
          input,
          organizationId,
          target: { type: 'ApiKey', id: input.id },
        },
        async (change) => {
          await requireCoveredKey(change, input.id, viewer);
          const { key, secret, auditEventId } = await rotateApiKey(change, input, secrets);
          return { entityId: key.id, row: key, auditEventId, secret };
        },
      ),
    apiKeyRevoke: ({ idempotencyKey, id, reason }) => {
      const input = { id, reason: requireReason(reason) };
      return run(
        {
          field: 'apiKeyRevoke',
          idempotencyKey: requireIdempotencyKey(idempotencyKey),
          input,
          organizationId,
          target: { type: 'ApiKey', id },
        },
        async (change) => {
          const { key, auditEventId } = await revokeApiKey(change, input);
          return { entityId: key.id, row: key, auditEventId };
        },
      );
    },
    apiKeyUpdate: (fields) => {
      const input = {
        ...fields,
        ...(fields.name === undefined ? {} : { name: requireName(fields.name) }),
        ...(fields.allowedModels === undefined ? {} : { allowedModels: requireModelPatterns(fields.allowedModels) }),
      };
      return run(
        { field: 'apiKeyUpdate', idempotencyKey: null, input, organizationId, target: { type: 'ApiKey', id: fields.id } },
        async (change) => {
          const { key, auditEventId } = await updateApiKey(change, input);
          return { entityId: key.id, row: key, auditEventId };
        },
      );
    },
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
