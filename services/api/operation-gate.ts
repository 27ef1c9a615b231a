import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { GraphQLError, getOperationAST, getVariableValues, parse, specifiedRules, validate } from 'graphql';
import type { OperationCost } from './operation-cost.ts';
import { costOf } from './operation-cost.ts';
import { brokenLimit, brokenVariableLimit, documentLimits } from './operation-limits.ts';

/** What a client sent, before anything is believed of it. */
export interface OperationParams {
  readonly query?: unknown;
  readonly variables?: unknown;
  readonly operationName?: unknown;
}

/** An operation that may be carried out, at its price. */
export interface AdmittedOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly cost: OperationCost;
}

export type Admission =
  | { readonly kind: 'admitted'; readonly operation: AdmittedOperation }
  | { readonly kind: 'refused'; readonly errors: readonly GraphQLError[] };

export type OperationGate = (params: OperationParams) => Admission;

const mostErrors = 25;
const mostCoercionErrors = 5;
const mostRemembered = 500;

type Checked = { readonly document: DocumentNode } | { readonly errors: readonly GraphQLError[] };

/**
 * The one gate in front of execution, for HTTP and WebSocket alike (reference/graphql.md section 0, no. 4): well-formedness,
 * bounds, validation, coercion of variables, cost. It never throws. What it says of a document it remembers (500 of them);
 * what depends on variables it decides anew each time (no. 1).
 */
export function createOperationGate(schema: GraphQLSchema, now: () => Date): OperationGate {
  const remembered = new Map<string, Checked>();

  const check = (text: string): Checked => {
    const before = remembered.get(text);
    if (before !== undefined) return before;
    const checked = checkDocument(schema, text);
    const oldest = remembered.size >= mostRemembered ? remembered.keys().next().value : undefined;
    if (oldest !== undefined) remembered.delete(oldest);
    remembered.set(text, checked);
    return checked;
  };

  return ({ query, variables, operationName }) => {
    if (typeof query !== 'string') return refused('BAD_REQUEST', '`query` must be a string.');
    if (variables != null && (typeof variables !== 'object' || Array.isArray(variables)))
      return refused('BAD_REQUEST', '`variables` must be an object.');
    if (operationName != null && typeof operationName !== 'string') return refused('BAD_REQUEST', '`operationName` must be a string.');
    if (query.length > documentLimits.characters) {
      return refused('DOCUMENT_TOO_LARGE', `The document is too large: at most ${documentLimits.characters} characters.`);
    }
    const checked = check(query);
    if ('errors' in checked) return { kind: 'refused', errors: checked.errors };
    const { document } = checked;
    const operation = getOperationAST(document, operationName);
    if (operation == null)
      return refused('OPERATION_RESOLUTION_FAILURE', 'It is not clear which operation to carry out: name one of the document.');
    const broken = brokenVariableLimit(variables ?? {});
    if (broken !== null) return refused('BAD_USER_INPUT', `The variables are too large: ${broken}.`);
    const given = Object.fromEntries(Object.entries(variables ?? {}));
    const coerced = getVariableValues(schema, operation.variableDefinitions ?? [], given, { maxErrors: mostCoercionErrors });
    if (coerced.errors !== undefined) return { kind: 'refused', errors: coerced.errors.map((error) => withCode(error, 'BAD_USER_INPUT')) };
    let cost: OperationCost;
    try {
      cost = costOf(schema, document, operation, coerced.coerced, now());
    } catch (error) {
      if (error instanceof GraphQLError) return { kind: 'refused', errors: [withCode(error, 'BAD_USER_INPUT')] };
      throw error;
    }
    return { kind: 'admitted', operation: { document, operation, operationName: operationName ?? undefined, variables: given, cost } };
  };
}

function checkDocument(schema: GraphQLSchema, text: string): Checked {
  let document: DocumentNode;
  try {
    document = parse(text, { maxTokens: documentLimits.tokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return { errors: [withCode(error, 'GRAPHQL_PARSE_FAILED')] };
  }
  const broken = brokenLimit(document);
  if (broken !== null) return { errors: [broken] };
  const errors = validate(schema, document, specifiedRules, { maxErrors: mostErrors });
  return errors.length > 0 ? { errors: errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) } : { document };
}

function refused(code: string, message: string): Admission {
  return { kind: 'refused', errors: [new GraphQLError(message, { extensions: { code } })] };
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    extensions: { code, ...error.extensions },
  });
}
