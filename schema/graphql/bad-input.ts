import { GraphQLError } from 'graphql';

/** A query whose arguments cannot be answered; mutations say the same in their payload as `InvalidInput`. */
export function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}
