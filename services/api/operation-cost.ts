import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLField,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import {
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
} from 'graphql';

/** What an operation can cost at most. */
export interface OperationCost {
  /** Objects that can be returned, and what fields cost beyond theirs. */
  readonly points: number;
  /** The part of it that is not objects: not given back. */
  readonly fixed: number;
  /** Objects of lists that can be returned. */
  readonly nodes: number;
}

type FieldCost = (args: Readonly<Record<string, unknown>>, now: Date) => number;
type Variables = Readonly<Record<string, unknown>>;
/** Which fields of a set: all, or of a connection those that are listed, or the others. */
type Part = 'all' | 'listed' | 'once';

const isFieldCost = (value: unknown): value is FieldCost => typeof value === 'function';

/**
 * Costs an operation with its coerced variables, so that `$first` costs what it asks for (reference/graphql.md section 0, no. 1 and 2):
 * each object is a point, a page is its size times what one of it costs. Fragments are costed once and fields that merge are
 * counted twice, so it is an upper bound, found in time proportional to the document.
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
  now: Date,
): OperationCost {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  /** Each set is costed once for each type and part it is met in, however often its fragment is spread. */
  const known = new Map<SelectionSetNode, Map<string, OperationCost>>();

  const costOfSet = (set: SelectionSetNode, parent: string, part: Part): OperationCost => {
    const ofSet = known.get(set) ?? new Map<string, OperationCost>();
    known.set(set, ofSet);
    const before = ofSet.get(`${part} ${parent}`);
    if (before !== undefined) return before;
    let total = nothing;
    for (const selection of set.selections) {
      if (!isLeftOut(selection, variables)) total = sum(total, costOfSelection(selection, parent, part));
    }
    ofSet.set(`${part} ${parent}`, total);
    return total;
  };

  const costOfSelection = (selection: SelectionNode, parent: string, part: Part): OperationCost => {
    if (selection.kind === Kind.FIELD) {
      // Of a connection only these come as often as the page is long.
      const isListed = selection.name.value === 'edges' || selection.name.value === 'nodes';
      return part === 'all' || isListed === (part === 'listed') ? costOfField(selection, parent) : nothing;
    }
    const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
    if (fragment === undefined) return nothing;
    return costOfSet(fragment.selectionSet, fragment.typeCondition?.name.value ?? parent, part);
  };

  const costOfField = (node: FieldNode, parent: string): OperationCost => {
    const field = fieldOf(schema, parent, node.name.value);
    // `__schema` and `__typename` are answered from memory.
    if (field === undefined) return nothing;
    const args: Variables = getArgumentValues(field, node, variables);
    const extra = field.extensions.cost;
    const fixed = isFieldCost(extra) ? extra(args, now) : 0;
    const own = { points: fixed, fixed, nodes: 0 };
    if (node.selectionSet === undefined) return own;
    const type = getNamedType(field.type).name;
    const one = { points: 1, fixed: 0, nodes: 0 };
    const page = args.first ?? args.last;
    if (typeof page === 'number') {
      const listed = times(Math.max(0, page), sum(costOfSet(node.selectionSet, type, 'listed'), { points: 0, fixed: 0, nodes: 1 }));
      return sum(sum(own, one), sum(listed, costOfSet(node.selectionSet, type, 'once')));
    }
    const each = sum(one, costOfSet(node.selectionSet, type, 'all'));
    const ids = args.ids;
    return sum(own, Array.isArray(ids) ? times(ids.length, sum(each, { points: 0, fixed: 0, nodes: 1 })) : each);
  };

  const root = schema.getRootType(operation.operation);
  return root == null ? nothing : costOfSet(operation.selectionSet, root.name, 'all');
}

const nothing: OperationCost = { points: 0, fixed: 0, nodes: 0 };

function fieldOf(schema: GraphQLSchema, parent: string, name: string): GraphQLField<unknown, unknown> | undefined {
  const type = schema.getType(parent);
  return isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
}

function isLeftOut(selection: SelectionNode, variables: Variables): boolean {
  return (
    getDirectiveValues(GraphQLSkipDirective, selection, variables)?.if === true ||
    getDirectiveValues(GraphQLIncludeDirective, selection, variables)?.if === false
  );
}

const sum = (left: OperationCost, right: OperationCost): OperationCost => ({
  points: left.points + right.points,
  fixed: left.fixed + right.fixed,
  nodes: left.nodes + right.nodes,
});
const times = (count: number, cost: OperationCost): OperationCost => ({
  points: count * cost.points,
  fixed: count * cost.fixed,
  nodes: count * cost.nodes,
});

/** Objects in an answer: what it did cost, where each was paid for as one point. */
export function objectsIn(data: unknown): number {
  if (typeof data !== 'object' || data === null) return 0;
  let objects = Array.isArray(data) ? 0 : 1;
  for (const member of Object.values(data)) objects += objectsIn(member);
  return objects;
}
