import type { ErrorCode } from '../../../schema/errors.ts';
import type { UpstreamFailureKind } from '../upstream/upstream-failure.ts';

/** What the application is told when a call gave no whole answer. */
export const ERROR_OF_FAILURE: Readonly<Record<UpstreamFailureKind, ErrorCode>> = {
  unreachable: 'upstream_unavailable',
  connect_timeout: 'timeout',
  first_byte_timeout: 'timeout',
  idle_timeout: 'timeout',
  broken: 'upstream_error',
};
