import type { Clock } from '../../runtime/clock.ts';
import type { SignCall } from '../credentials/bedrock-signers.ts';
import type { Exchange } from '../exchange.ts';
import type { HeldBytes } from '../held-bytes.ts';
import type { PreparedCall, Provider } from '../providers/provider.ts';
import type { ProxyLimits } from '../proxy-limits.ts';
import type { Books } from '../settlement/books.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { Upstream } from '../upstream/upstream.ts';

/** What a relay needs besides its request; the same for all of them. */
export interface RelaySettings {
  readonly books: Books;
  readonly clock: Clock;
  readonly limits: ProxyLimits;
  /** Counts the bodies and whole answers of calls. */
  readonly held: HeldBytes;
  readonly onCredentialRejected: (provider: string, status: number) => void;
  /** A fault of ours while a request was settled or answered; its connection is cut. */
  readonly onFault: (error: unknown, requestId: string) => void;
}

/** Everything about the one call of a relay. */
export interface RelayCall {
  readonly exchange: Exchange;
  readonly target: CompiledModel;
  readonly provider: Provider;
  readonly prepared: PreparedCall;
  readonly upstream: Upstream;
  /** All of the call. */
  readonly headers: string[];
  /** Gives a call that has to be signed the rest of its headers; null: that are all. */
  readonly sign: SignCall | null;
  readonly usageAsked: boolean;
  readonly choices: number;
}
