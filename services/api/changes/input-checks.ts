import { GraphQLError } from 'graphql';
import { badInput } from '../../../schema/graphql/bad-input.ts';
import { allows, isGrantable } from '../../../schema/graphql/permission.ts';

const slugShape = /^[a-z0-9][a-z0-9-]{0,62}$/;
const longestName = 200;

/** @throws GraphQLError `BAD_USER_INPUT` */
export function requireName(name: string): string {
  const trimmed = name.trim();
  if (trimmed === '' || trimmed.length > longestName) throw badInput(`A name has 1 to ${longestName} characters.`);
  return trimmed;
}

/** @throws GraphQLError `BAD_USER_INPUT` */
export function requireSlug(slug: string): string {
  if (!slugShape.test(slug)) throw badInput('A slug has 1 to 63 lower-case letters, digits and dashes, and starts with no dash.');
  return slug;
}

/** @throws GraphQLError `BAD_USER_INPUT` */
export function requireTagKey(tagKey: string): string {
  if (tagKey === '' || tagKey.length > 64) throw badInput('A tag key has 1 to 64 characters.');
  return tagKey;
}

/** @throws GraphQLError `BAD_USER_INPUT` */
export function requireIdempotencyKey(key: string): string {
  if (key === '' || key.length > 255) throw badInput('An idempotency key has 1 to 255 characters.');
  return key;
}

/** @throws GraphQLError `BAD_USER_INPUT` */
export function requireReason(reason: string | null): string | null {
  if (reason !== null && reason.length > 500) throw badInput('A reason has at most 500 characters.');
  return reason;
}

/** @throws GraphQLError `BAD_USER_INPUT` */
export function requireStatedReason(given: string): string {
  const reason = requireReason(given.trim());
  if (reason === null || reason === '') throw badInput('Say why: a reason has 1 to 500 characters.');
  return reason;
}

/** @throws GraphQLError `BAD_USER_INPUT` */
export function requireModelPatterns(patterns: readonly string[] | null): readonly string[] | null {
  for (const pattern of patterns ?? []) {
    if (!/^[^/\s]+\/\S+$/.test(pattern) || pattern.length > 256) {
      throw badInput(`Expected \`provider/model\` or \`provider/*\`, found ${JSON.stringify(pattern.slice(0, 64))}.`);
    }
  }
  return patterns;
}

/**
 * Nobody hands on more than they have.
 * @throws GraphQLError `BAD_USER_INPUT` for what is no permission, `FORBIDDEN` for what the viewer lacks.
 */
export function requireGrantable(permissions: readonly string[], own: readonly string[]): readonly string[] {
  for (const permission of permissions) {
    if (!isGrantable(permission)) throw badInput(`There is no permission ${JSON.stringify(permission.slice(0, 64))}.`);
  }
  const beyond = permissions.find((permission) => !allows(own, permission));
  if (beyond !== undefined) {
    throw new GraphQLError(`This key lacks the permission ${JSON.stringify(beyond)} itself.`, { extensions: { code: 'FORBIDDEN' } });
  }
  return [...new Set(permissions)];
}
