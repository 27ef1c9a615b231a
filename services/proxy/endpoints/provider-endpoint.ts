import type { OutputCap } from '../../../schema/values/output-cap.ts';
import type { ErrorDialect } from '../answer/error-dialect.ts';
import type { BoundingModel, TokenBound } from '../budgets/token-bound.ts';
import type { Operation, Operations } from '../providers/provider.ts';
import type { BodyKind } from './served-endpoint.ts';

/** An endpoint that a provider answers: what is its own, where everything else is the same for all of them. */
export interface ProviderEndpoint<Request> {
  /** Where it is served, by POST. One that ends in `/` stands for everything below it, with `/:method` for what ends so. */
  readonly path: string;
  /** Other paths where it is served the same; its name is the first. */
  readonly alsoAt?: readonly string[];
  readonly errors: ErrorDialect;
  /** What its body is; absent: JSON, every value of which is looked at. */
  readonly body?: BodyKind;
  /**
   * Takes a parsed body, or a {@link MultipartForm}, for a request.
   * @param rest what stands in the place of an open end of the path, percent-encoded, with its query; else empty. @throws {GatewayError} where it is none.
   */
  parse(value: unknown, rest: string): Request;
  model(request: Request): string;
  stream(request: Request): boolean;
  /** Whether the application wants the usage of a stream told in it. */
  usageAsked(request: Request): boolean;
  /** Answers asked for at once. */
  choices(request: Request): number;
  endUser(request: Request): string | null;
  /** The limit that the request sets itself for each choice of its answer; null: none, so that the one of its route counts. */
  outputLimit(request: Request, bytes: Buffer): number | null;
  /** Most tokens it can be billed for. @param bytes of the body, which `request` was parsed from. */
  bound(request: Request, bytes: Buffer, model: BoundingModel, outputCap: OutputCap | null): TokenBound;
  /** The operation that answers it; undefined where a provider does not. */
  operation(operations: Operations): Operation<Request> | undefined;
}
