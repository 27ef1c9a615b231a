import { endpointRefusal } from '../../registry/catalog/endpoint-refusal.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { Operation } from './provider.ts';

/** An endpoint that only some of a provider's models have. @throws {GatewayError} of the operation, for the others. */
export function onlyWhere<Request>(
  has: (target: CompiledModel) => boolean,
  endpoint: string,
  operation: Operation<Request>,
): Operation<Request> {
  return (asked, target, context) => {
    if (!has(target)) throw endpointRefusal(target, endpoint);
    return operation(asked, target, context);
  };
}
