import { GraphQLError } from 'graphql';

/** What does not exist and what belongs to another organization answer alike, so that nobody can tell them apart. */
export function notFound(): GraphQLError {
  return new GraphQLError('There is no such object.', { extensions: { code: 'NOT_FOUND' } });
}
