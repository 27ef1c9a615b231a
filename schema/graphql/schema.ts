import type { GraphQLSchema } from 'graphql';
import { lexicographicSortSchema, printSchema } from 'graphql';
import './scalars.ts';
import './activated-tag.ts';
import './alert-channel.ts';
import './alert-channel-mutations.ts';
import './alert-delivery.ts';
import './api-key-mutations.ts';
import './audit-event.ts';
import './budget.ts';
import './budget-lease.ts';
import './budget-lease-mutations.ts';
import './budget-alert.ts';
import './budget-mutations.ts';
import './budget-simulation.ts';
import './budget-state.ts';
import './rate-limit.ts';
import './rate-limit-mutations.ts';
import './rate-limit-state.ts';
import './change-stream.ts';
import './dead-letter.ts';
import './dead-letter-mutations.ts';
import './ledger-entry.ts';
import './model.ts';
import './model-mutations.ts';
import './organization.ts';
import './price-version.ts';
import './provider-credential.ts';
import './provider-credential-mutations.ts';
import './provider-mutations.ts';
import './proxy-node.ts';
import './request-tail.ts';
import './request.ts';
import './route.ts';
import './route-dry-run.ts';
import './route-mutations.ts';
import './service-account.ts';
import './team.ts';
import './usage-report.ts';
import './usage-ticks.ts';
import './user.ts';
import './viewer.ts';
import { builder } from './builder.ts';

/** The whole schema, sorted, so that its print does not depend on the order of imports. */
export function createSchema(): GraphQLSchema {
  return lexicographicSortSchema(builder.toSchema());
}

/** SDL as it is committed in `schema.graphql`. */
export function printSdl(schema: GraphQLSchema): string {
  return `${printSchema(schema)}\n`;
}
