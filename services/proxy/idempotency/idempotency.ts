import { ERRORS, GatewayError } from '../../../schema/errors.ts';
import { idFromUuid, uuidFromId } from '../../../schema/values/ids.ts';
import type { Timers } from '../../eventlog/timers.ts';
import { pause } from '../../eventlog/timers.ts';
import type { Log } from '../../runtime/log.ts';
import type { Exchange } from '../exchange.ts';
import type { HeldBytes } from '../held-bytes.ts';
import type { AnswerSeals } from './answer-seals.ts';
import type { ClaimEndings } from './claim-endings.ts';
import type { KeyHashes } from './key-hashes.ts';
import { readIdempotencyKey } from './key-hashes.ts';
import type { ClaimSettings } from './keyed-claim.ts';
import { KeyedClaim } from './keyed-claim.ts';
import type { KeyedLimits } from './keyed-limits.ts';
import type { ClaimAnswer, KeyedRequests, WantedKey } from './keyed-requests.ts';
import type { Replay } from './replay.ts';

export interface IdempotencyOptions {
  readonly requests: Pick<KeyedRequests, 'claim'>;
  readonly endings: ClaimEndings;
  readonly claims: ClaimSettings;
  readonly hashes: KeyHashes;
  readonly seals: Pick<AnswerSeals, 'open'>;
  readonly replay: Replay;
  readonly limits: KeyedLimits;
  /** Counts the bodies of requests that wait for their claim. */
  readonly held: HeldBytes;
  readonly timers: Timers;
  readonly log: Log;
  /** True from the moment the process stops: who still waits then is not let through any more. */
  readonly isStopping: () => boolean;
  /** Counts what became of a key that was asked for. */
  readonly onClaim: (outcome: ClaimOutcome) => void;
}

export type ClaimOutcome = ClaimAnswer['outcome'] | 'unavailable';

/** Lets a request with an idempotency key through once. */
export interface Idempotency {
  /**
   * @param keyed `pieces` are what its body says; the same request has the same ones.
   * Claims the key, one round trip; then `proceed`s, with the claim in the exchange, or replays what the first request got, or refuses.
   * @param refuse told of every refusal that comes later, also of what `proceed` throws. @throws {GatewayError} of one that comes at once.
   */
  admit(
    keyed: {
      readonly exchange: Exchange;
      readonly key: string | readonly string[];
      readonly body: Buffer;
      readonly pieces: readonly Buffer[];
    },
    proceed: () => void,
    refuse: (exchange: Exchange, cause: unknown) => void,
  ): void;
  /** Waits for the claims under way, then for what the database is to be told, at most until the deadline. */
  stop(deadlineMs: number): Promise<void>;
}

const STOP_POLL_MS = 10;

export function createIdempotency(options: IdempotencyOptions): Idempotency {
  const { requests, endings, claims, hashes, seals, limits, held, timers, log, onClaim } = options;
  let claiming = 0;
  let isAway = false;

  /** What this process itself is about to say of the key is said first: who has the answer may repeat the request at once. */
  const ask = async (wanted: WantedKey): Promise<ClaimAnswer> => {
    await endings.underWay(wanted.keyHash);
    return requests.claim(wanted);
  };

  /** Null where the database did not say in time; should it have claimed the key all the same, that is taken back. */
  const claim = async (wanted: WantedKey): Promise<ClaimAnswer | null> => {
    const late = new AbortController();
    let isLate = false;
    const takeBack = (): void => endings.end(wanted, { kind: 'released' }, limits.unansweredMs);
    const asked = ask(wanted).then(
      (answer) => {
        isAway = false;
        if (isLate && answer.outcome === 'claimed') takeBack();
        return answer;
      },
      (error: unknown) => {
        if (!isAway) log.warn({ error }, 'idempotency keys cannot be claimed: requests that have one are refused');
        isAway = true;
        takeBack();
        return null;
      },
    );
    const answer = await Promise.race([asked, pause(timers, limits.claimTimeoutMs, late.signal).then(() => null)]);
    isLate = true;
    late.abort();
    return answer;
  };

  const goOn = async (exchange: Exchange, wanted: WantedKey, answer: ClaimAnswer | null, proceed: () => void): Promise<void> => {
    onClaim(answer?.outcome ?? 'unavailable');
    if (answer === null) throw new GatewayError('idempotency_unavailable');
    switch (answer.outcome) {
      case 'claimed':
        exchange.claim = new KeyedClaim(wanted, claims);
        if (options.isStopping()) throw new GatewayError('not_ready');
        return proceed();
      case 'kept':
        return options.replay(exchange, answer.original, await opened(answer.answer, wanted, answer.original));
      case 'running':
        throw refusal('idempotency_in_progress', answer.original, 1);
      case 'conflict':
        throw refusal('idempotency_key_conflict', answer.original);
      case 'abandoned':
        throw refusal('idempotency_outcome_unknown', answer.original);
      case 'not_kept':
        throw notKept(answer.original, answer.cause);
      case 'full':
        throw new GatewayError('idempotency_keys_exhausted', { retryAfterSeconds: 60 });
    }
  };

  const opened = (sealed: Buffer, { organization }: WantedKey, original: string) =>
    seals.open(sealed, { organization, request: original }).catch((error: unknown) => {
      log.error({ error, requestId: idFromUuid('request', original) }, 'a kept answer cannot be opened');
      throw notKept(original, 'failed');
    });

  return {
    admit: ({ exchange, key, body, pieces }, proceed, refuse) => {
      const name = readIdempotencyKey(key);
      if (claiming >= limits.maxClaims || endings.size() >= limits.maxEndings) {
        onClaim('unavailable');
        throw new GatewayError('idempotency_unavailable');
      }
      const organization = uuidFromId('organization', exchange.key.organizationId);
      const request = uuidFromId('request', exchange.requestId);
      if (organization === null || request === null) throw new GatewayError('internal_error');
      const keyHash = hashes.ofKey(exchange.key.id, name);
      const wanted = { organization, request, keyHash, bodyHash: hashes.ofBody(exchange.endpoint, pieces) };
      claiming += 1;
      held.add(body.length);
      void claim(wanted)
        .then((answer) => {
          // From here on whoever needs the body counts it.
          held.remove(body.length);
          return goOn(exchange, wanted, answer, proceed);
        })
        .catch((error: unknown) => refuse(exchange, error))
        .finally(() => {
          claiming -= 1;
        });
    },
    stop: async (deadlineMs) => {
      const late = new AbortController();
      const deadline = pause(timers, deadlineMs, late.signal).then(() => late.abort());
      while (claiming > 0 && !late.signal.aborted) await pause(timers, STOP_POLL_MS, late.signal);
      const untold = await endings.stop(late.signal.aborted ? 0 : deadlineMs);
      late.abort();
      await deadline;
      if (untold > 0)
        log.warn({ count: untold }, 'PostgreSQL was not told how requests with an idempotency key ended; repetitions are refused');
    },
  };
}

function refusal(
  code: 'idempotency_in_progress' | 'idempotency_key_conflict' | 'idempotency_outcome_unknown',
  original: string,
  retryAfterSeconds: number | null = null,
): GatewayError {
  return new GatewayError(code, { retryAfterSeconds, meta: { original_request_id: idFromUuid('request', original) } });
}

/** Why each answer is not there, for the application to read. */
const WHY: ReadonlyMap<string, string> = new Map([
  ['too_large', 'it is larger than what is kept'],
  ['no_room', 'the gateway held too many answers'],
  ['store_full', 'too many answers of the organization are kept'],
  ['cut', 'the client left, and it was not read to its end'],
]);

function notKept(original: string, cause: string): GatewayError {
  const meta = { original_request_id: idFromUuid('request', original), cause };
  const { message } = ERRORS.idempotency_answer_not_kept;
  const why = WHY.get(cause);
  return new GatewayError('idempotency_answer_not_kept', { meta, message: why === undefined ? message : `${message} Why: ${why}.` });
}
