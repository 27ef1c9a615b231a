import { GraphQLError } from 'graphql';
import type { IdKind } from '../values/ids.ts';
import { idFromUuid, idKind, uuidFromId } from '../values/ids.ts';

/** Which kind of id each node type carries: `ID` is the prefixed id itself, the same in URLs, logs and audit. */
const kindOfNode = {
  Organization: 'organization',
  Team: 'team',
  ApiKey: 'apiKey',
  Provider: 'provider',
  Model: 'model',
  ProviderCredential: 'providerCredential',
  Route: 'route',
  Budget: 'budget',
  AlertChannel: 'alertChannel',
  AlertDelivery: 'alertDelivery',
  BudgetAlert: 'budgetAlert',
  RateLimit: 'rateLimit',
  ServiceAccount: 'serviceAccount',
  User: 'user',
  Request: 'request',
  LedgerEntry: 'entry',
  AuditEvent: 'auditEvent',
  DeadLetter: 'deadLetter',
} as const satisfies Record<string, IdKind>;
export type NodeName = keyof typeof kindOfNode;

const isNodeName = (name: string): name is NodeName => Object.hasOwn(kindOfNode, name);

/** A price version is named by the hash of its content, and that name is its id. */
const priceVersionName = /^pv_[0-9a-f]{32}$/;

/** `ID` of a node from its uuid, or from the name of a price version. */
export function encodeNodeId(typename: string, uuid: string): string {
  if (typename === 'PriceVersion') return uuid;
  if (!isNodeName(typename)) throw new Error(`${typename} is no node type`);
  return idFromUuid(kindOfNode[typename], uuid);
}

/** @throws GraphQLError `BAD_USER_INPUT` where the text is no id of a node. */
export function decodeNodeId(id: string): { typename: NodeName | 'PriceVersion'; id: string } {
  if (priceVersionName.test(id)) return { typename: 'PriceVersion', id };
  const kind = idKind(id);
  for (const [typename, candidate] of Object.entries(kindOfNode)) {
    if (candidate !== kind || !isNodeName(typename)) continue;
    const uuid = uuidFromId(kind, id);
    if (uuid !== null) return { typename, id: uuid };
  }
  throw new GraphQLError(`Not an id: ${JSON.stringify(id.slice(0, 64))}`, { extensions: { code: 'BAD_USER_INPUT' } });
}

/**
 * The uuid of an id that must be of one type.
 * @throws GraphQLError `BAD_USER_INPUT` naming what was expected.
 */
export function requireUuid(typename: NodeName, id: string): string {
  return requireUuidOfKind(kindOfNode[typename], typename, id);
}

/**
 * The same for a kind of id that need not be one of a node.
 * @param what the kind as clients know it.
 * @throws GraphQLError `BAD_USER_INPUT` naming what was expected.
 */
export function requireUuidOfKind(kind: IdKind, what: string, id: string): string {
  const uuid = uuidFromId(kind, id);
  if (uuid !== null) return uuid;
  throw new GraphQLError(`Expected the id of a ${what}, found ${JSON.stringify(id.slice(0, 64))}`, {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}
