import type { ServerResponse } from 'node:http';
import type { ErrorDialect } from './error-dialect.ts';

/** Who is answered. */
export interface Addressee {
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Of the endpoint that was asked. */
  readonly errors: ErrorDialect;
}
