import type { ReceivedBody } from '../body/received-body.ts';
import type { AskedEndpoint, Exchange } from '../exchange.ts';

export type Refuse = (exchange: Exchange, cause: unknown) => void;

/** `media`: JSON that may have pictures, sounds and documents in it, which its bound does not look into; `form`: a form, or JSON. */
export type BodyKind = 'json' | 'media' | 'form';

/** An endpoint that takes a JSON body, or a form, by POST. A path that ends in `/` stands for everything below it. */
export interface ServedEndpoint extends AskedEndpoint {
  /** Where it is served; its own path is the first of them. */
  readonly paths: readonly string[];
  readonly body: BodyKind;
  /**
   * @param rest what stands in the place of an open end of its path, percent-encoded; else empty. @param refuse told of a refusal that comes later, when
   *   a budget or an idempotency key had to be asked for. @throws {GatewayError} of one that comes at once.
   */
  readonly serve: (exchange: Exchange, body: ReceivedBody, rest: string, refuse: Refuse) => void;
}
