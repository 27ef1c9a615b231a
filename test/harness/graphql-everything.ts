import type { GraphQLOutputType } from 'graphql';
import {
  getNamedType,
  isInterfaceType,
  isLeafType,
  isNonNullType,
  isObjectType,
  isUnionType,
  parse,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
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
    const page = field.args.some(({ name }) => name === 'first') ? '(first: 5)' : '';
    return [`${field.name}${page} ${everything(field.type, depth - 1)}`];
  });
  // What only some of an interface's types have. Anything at all can be a Node: whoever asks for one says which.
  const more =
    isInterfaceType(named) && named.name !== 'Node'
      ? schema.getPossibleTypes(named).flatMap((member) => {
          const own = everything(member, depth);
          return Object.keys(member.getFields()).length === Object.keys(named.getFields()).length ? [] : [`... on ${member.name} ${own}`];
        })
      : [];
  return `{ ${['__typename', ...fields, ...more].join(' ')} }`;
}

/** A selection of everything that a mutation answers. */
export function payloadFields(name: string): string {
  const field = schema.getMutationType()?.getFields()[name];
  return field === undefined ? '{ __typename }' : everything(field.type, 4);
}

/** Every field of every object type that a client can get to, as `Type.field`. */
export function everyField(): string[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && !type.name.startsWith('__'))
    .flatMap((type) => (isObjectType(type) ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`) : []));
}

/** Whether a `Type.field` is answered with objects, not with a value. */
export function leadsToObjects(path: string): boolean {
  const [name = '', field = ''] = path.split('.');
  const type = schema.getType(name);
  const found = isObjectType(type) ? type.getFields()[field] : undefined;
  return found !== undefined && !isLeafType(getNamedType(found.type));
}

/** The fields that a document asks for, as `Type.field`; one asked of an interface is asked of each of its types. */
export function fieldsAskedIn(document: string): string[] {
  const asked: string[] = [];
  const types = new TypeInfo(schema);
  visit(
    parse(document),
    visitWithTypeInfo(types, {
      Field: ({ name }) => {
        const parent = types.getParentType();
        if (parent == null || name.value.startsWith('__')) return;
        const members = isInterfaceType(parent) ? schema.getPossibleTypes(parent) : [parent];
        asked.push(...members.map((member) => `${member.name}.${name.value}`));
      },
    }),
  );
  return asked;
}
