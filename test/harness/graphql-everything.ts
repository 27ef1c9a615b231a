import type { GraphQLOutputType } from 'graphql';
import { getNamedType, isInterfaceType, isLeafType, isNonNullType, isObjectType, isUnionType } from 'graphql';
import { createSchema } from '../../schema/graphql/schema.ts';

export const schema = createSchema();

/** A selection of every field down to `depth` levels; lists of pages are kept short. Fields that need arguments are left out. */
export function everything(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  if (isUnionType(named))
    return `{ __typename ${named
      .getTypes()
      .map((member) => `... on ${member.name} ${everything(member, depth)}`)
      .join(' ')} }`;
  if (!isObjectType(named) && !isInterfaceType(named)) return '';
  const fields = Object.values(named.getFields()).flatMap((field) => {
    if (field.args.some((arg) => isNonNullType(arg.type) && arg.defaultValue === undefined)) return [];
    if (isLeafType(getNamedType(field.type))) return [field.name];
    // `nodes` and `edges` hold the same.
    if (depth <= 1 || field.name === 'edges') return [];
    return [`${field.name} ${everything(field.type, depth - 1)}`];
  });
  return `{ ${['__typename', ...fields].join(' ')} }`;
}
