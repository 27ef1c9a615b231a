import type { GraphqlContext } from './context.ts';
import type { NodeName } from './global-id.ts';
import { allows, permissionToRead } from './permission.ts';

/** The id of a node, where the viewer may read such nodes: what they say does not come along with what names them. */
export function readable(context: GraphqlContext, typename: NodeName, id: string | null): string | null {
  return allows(context.viewer.permissions, permissionToRead(typename)) ? id : null;
}
