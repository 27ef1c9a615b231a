import { GraphQLError } from 'graphql';
import type { Viewer } from '../../../schema/graphql/context.ts';
import { allows } from '../../../schema/graphql/permission.ts';
import type { ApiKeyChanges } from '../../../schema/graphql/ports/api-key-changes.ts';
import { createApiKey, endGrace, revokeApiKey, rotateApiKey, updateApiKey } from '../../registry/api-keys.ts';
import type { Change } from '../../registry/change.ts';
import { RegistryError } from '../../registry/change.ts';
import type { Secrets } from '../../runtime/secrets.ts';
import { requireBoundLikeViewer, requireCoveredKey } from './admin-key-rules.ts';
import { requireGrantable, requireIdempotencyKey, requireModelPatterns, requireName, requireReason } from './input-checks.ts';
import type { RunChange } from './run-change.ts';

async function requireOrganization(change: Change): Promise<void> {
  const found = await change.trx.selectFrom('organizations').select('id').where('id', '=', change.organizationId).executeTakeFirst();
  if (found === undefined) throw new RegistryError('not_found', 'There is no such organization.', ['organizationId']);
}

/** The mutations of API keys. Nobody makes, changes or ends a key that can do more than they can. */
export function createApiKeyChanges(run: RunChange, viewer: Viewer, secrets: Secrets): ApiKeyChanges {
  const { organizationId } = viewer;
  return {
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
          requireBoundLikeViewer(input.kind, input, viewer);
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
    apiKeyEndGrace: ({ idempotencyKey, id }) =>
      run(
        {
          field: 'apiKeyEndGrace',
          idempotencyKey: requireIdempotencyKey(idempotencyKey),
          input: { id },
          organizationId,
          target: { type: 'ApiKey', id },
        },
        async (change) => {
          await requireCoveredKey(change, id, viewer);
          const { key, auditEventId } = await endGrace(change, id);
          return { entityId: key.id, row: key, auditEventId };
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
          await requireCoveredKey(change, id, viewer);
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
          const { kind } = await requireCoveredKey(change, input.id, viewer);
          requireBoundLikeViewer(kind, input, viewer);
          const { key, auditEventId } = await updateApiKey(change, input);
          return { entityId: key.id, row: key, auditEventId };
        },
      );
    },
  };
}
