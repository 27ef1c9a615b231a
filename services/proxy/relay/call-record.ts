import type { IncomingHttpHeaders } from 'node:http';
import type { ErrorCode } from '../../../schema/errors.ts';
import type { Attempt, Outcome } from '../../../schema/events/request-settled.v1.ts';
import type { Exchange } from '../exchange.ts';
import type { AnswerFacts } from '../providers/provider.ts';
import type { Ending, SettledCost } from '../settlement/settle.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';

/** What a client that left is called in the books. */
export const CLIENT_GONE: ErrorCode = 'client_closed_request';

/** How a relay ended, as far as the call itself does not say it. */
export interface RelayEnd {
  readonly outcome: Outcome;
  readonly status: number;
  /** Ours or the provider's; null when the provider did its part. */
  readonly code: string | null;
  readonly facts: AnswerFacts;
  readonly cost: SettledCost;
}

/** When the one call of a relay was made and what came back: measured while it runs, told to the books at its end. */
export class CallRecord {
  readonly #exchange: Exchange;
  readonly #target: CompiledModel;
  /** Monotonic milliseconds; 0 = not yet. */
  dispatchedAt = 0;
  firstByteAt = 0;
  lastByteAt = 0;
  /** Status of the provider; 0 = no answer came. */
  status = 0;
  #providerRequestId: string | null = null;

  constructor(exchange: Exchange, target: CompiledModel) {
    this.#exchange = exchange;
    this.#target = target;
  }

  answered(status: number, headers: IncomingHttpHeaders): void {
    this.status = status;
    this.#providerRequestId = textOf(headers['x-request-id']) ?? textOf(headers['request-id']);
  }

  received(now: number): void {
    this.lastByteAt = now;
    if (this.firstByteAt === 0) this.firstByteAt = now;
  }

  /** Time in the gateway: from the request's last byte to the call, and from the answer's last byte to now. */
  overheadMs(now: number): number {
    const before = this.dispatchedAt - this.#exchange.receivedAt;
    return Math.max(0, this.lastByteAt === 0 ? before : before + (now - this.lastByteAt));
  }

  /** Time until the provider's last byte. */
  upstreamMs(): number {
    return Math.max(0, this.lastByteAt - this.dispatchedAt);
  }

  /** @param made whether there was a call at all, and whether it reached a connection. */
  ending(end: RelayEnd, now: number, made: 'none' | 'not_sent' | 'sent'): Ending {
    const { outcome, status, code, facts, cost } = end;
    const { arrivedAt } = this.#exchange;
    const nothingTold = facts.usage === null && (facts.units ?? null) === null && facts.usageFlags.length === 0;
    const unknown = nothingTold && cost.kind !== 'free';
    return {
      outcome,
      status,
      errorCode: outcome === 'cancelled' ? CLIENT_GONE : code,
      finishReason: facts.finishReason,
      modelAnswered: facts.modelAnswered,
      attempts: made === 'none' ? [] : [this.#attempt(now, code, made === 'sent')],
      usage: facts.usage,
      units: facts.units ?? null,
      rawUsage: facts.rawUsage,
      usageFlags: unknown ? ['usage_missing'] : facts.usageFlags,
      serviceTier: facts.serviceTier,
      cost,
      reportedCostPico: facts.reportedCostPico,
      firstByteMs: this.firstByteAt === 0 ? null : this.firstByteAt - arrivedAt,
      totalMs: now - arrivedAt,
      overheadMs: made === 'none' ? null : this.overheadMs(now),
    };
  }

  /**
   * A call that failed after it was sent and before any answer is `unknown`: whether the provider worked on it, and bills it,
   * nobody here can say. The ledger reads it so too.
   */
  #attempt(now: number, code: string | null, sent: boolean): Attempt {
    const unanswered = sent && this.status === 0;
    return {
      provider: this.#target.provider.name,
      upstreamModel: this.#target.upstreamModel,
      startMs: roundedMs(this.dispatchedAt - this.#exchange.arrivedAt),
      durationMs: roundedMs(now - this.dispatchedAt),
      status: this.status === 0 ? null : this.status,
      outcome: code === null ? 'succeeded' : code === CLIENT_GONE ? 'cancelled' : unanswered ? 'unknown' : 'failed',
      errorCode: code,
      providerRequestId: this.#providerRequestId,
    };
  }
}

function roundedMs(milliseconds: number): number {
  return Math.round(Math.max(0, milliseconds) * 1_000) / 1_000;
}

function textOf(value: string | string[] | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
