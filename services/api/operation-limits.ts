import type { DocumentNode, FragmentDefinitionNode, OperationDefinitionNode, SelectionSetNode } from 'graphql';
import { BREAK, GraphQLError, Kind, visit } from 'graphql';

/** Bounds of a document (reference/graphql.md section 4), all checked without variables: safe to remember with the document. */
export const documentLimits = {
  characters: 15_000,
  tokens: 2_000,
  depth: 10,
  /** `__schema` of a tool is deeper than any query of ours. */
  introspectionDepth: 16,
  aliases: 30,
  rootFields: 10,
  rootMutations: 5,
  directives: 10,
  listLength: 100,
  stringLength: 8_192,
} as const;

/** The first bound a parsed document breaks, or null. Fragments count where they are spread, and a cycle is left to validation. */
export function brokenLimit(document: DocumentNode): GraphQLError | null {
  const fragments = new Map<string, FragmentDefinitionNode>();
  let aliases = 0;
  let directives = 0;
  let problem: string | null = null;
  visit(document, {
    FragmentDefinition: (node) => {
      fragments.set(node.name.value, node);
    },
    Field: (node) => {
      if (node.alias !== undefined) aliases += 1;
    },
    Directive: () => {
      directives += 1;
    },
    StringValue: (node) => {
      if (node.value.length > documentLimits.stringLength) problem = `a string has at most ${documentLimits.stringLength} characters`;
      return problem === null ? undefined : BREAK;
    },
    ListValue: (node) => {
      if (node.values.length > documentLimits.listLength) problem = `a list has at most ${documentLimits.listLength} items`;
      return problem === null ? undefined : BREAK;
    },
  });
  if (aliases > documentLimits.aliases) problem = `at most ${documentLimits.aliases} aliases`;
  if (directives > documentLimits.directives) problem = `at most ${documentLimits.directives} directives`;
  for (const definition of document.definitions) {
    if (problem !== null) break;
    if (definition.kind === Kind.OPERATION_DEFINITION) problem = brokenShape(definition, fragments);
  }
  return problem === null
    ? null
    : new GraphQLError(`The document is too large: ${problem}.`, { extensions: { code: 'DOCUMENT_TOO_LARGE' } });
}

interface Extent {
  readonly fields: number;
  readonly depth: number;
  readonly introspectionDepth: number;
}

function brokenShape(operation: OperationDefinitionNode, fragments: ReadonlyMap<string, FragmentDefinitionNode>): string | null {
  // Each fragment is measured once, however often it is spread.
  const measured = new Map<SelectionSetNode, Extent>();
  const measure = (set: SelectionSetNode, path: readonly SelectionSetNode[]): Extent => {
    const known = measured.get(set);
    if (known !== undefined) return known;
    let fields = 0;
    let depth = 0;
    let introspectionDepth = 0;
    for (const selection of set.selections) {
      const inner = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value)?.selectionSet : selection.selectionSet;
      const extent =
        inner === undefined || path.includes(inner) ? { fields: 0, depth: 0, introspectionDepth: 0 } : measure(inner, [...path, inner]);
      if (selection.kind !== Kind.FIELD) {
        fields += extent.fields;
        depth = Math.max(depth, extent.depth);
        introspectionDepth = Math.max(introspectionDepth, extent.introspectionDepth);
        continue;
      }
      fields += 1;
      const below = Math.max(extent.depth, extent.introspectionDepth) + 1;
      if (selection.name.value.startsWith('__')) introspectionDepth = Math.max(introspectionDepth, below);
      else {
        depth = Math.max(depth, extent.depth + 1);
        introspectionDepth = Math.max(introspectionDepth, extent.introspectionDepth === 0 ? 0 : extent.introspectionDepth + 1);
      }
    }
    const extent = { fields, depth, introspectionDepth };
    measured.set(set, extent);
    return extent;
  };
  const extent = measure(operation.selectionSet, [operation.selectionSet]);
  if (extent.depth > documentLimits.depth) return `nested at most ${documentLimits.depth} deep`;
  if (extent.introspectionDepth > documentLimits.introspectionDepth) return `nested at most ${documentLimits.introspectionDepth} deep`;
  const mostRoots = operation.operation === 'mutation' ? documentLimits.rootMutations : documentLimits.rootFields;
  return extent.fields > mostRoots ? `at most ${mostRoots} root fields` : null;
}

/** Why variables are refused before they are coerced, or null. */
export function brokenVariableLimit(value: unknown, depth = 0): string | null {
  if (typeof value === 'string')
    return value.length > documentLimits.stringLength ? `a string has at most ${documentLimits.stringLength} characters` : null;
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= 16) return 'variables are nested at most 16 deep';
  if (Array.isArray(value) && value.length > documentLimits.listLength) return `a list has at most ${documentLimits.listLength} items`;
  for (const member of Object.values(value)) {
    const broken = brokenVariableLimit(member, depth + 1);
    if (broken !== null) return broken;
  }
  return null;
}
