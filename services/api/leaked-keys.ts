import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Kysely } from 'kysely';
import type { ErrorCode } from '../../schema/errors.ts';
import { ERRORS } from '../../schema/errors.ts';
import { errorEnvelope } from '../../schema/http/error-envelope.ts';
import type { LeakedKeyMatch, LeakedKeysReceived } from '../../schema/http/leaked-keys.ts';
import { LEAKED_KEYS, parseLeakedKeys } from '../../schema/http/leaked-keys.ts';
import type { Database } from '../../schema/tables/database.ts';
import { idFromUuid, mintUuid } from '../../schema/values/ids.ts';
import { parseVirtualKey } from '../../schema/values/virtual-key.ts';
import type { LeakedKeyReport } from '../registry/leaked-keys.ts';
import { keepLeakedKeys } from '../registry/leaked-keys.ts';
import type { ClientAddressOf } from '../runtime/client-address.ts';
import type { Clock } from '../runtime/clock.ts';
import { createFailureLimiter } from '../runtime/failure-limiter.ts';
import type { Log } from '../runtime/log.ts';
import type { Random } from '../runtime/random.ts';
import type { Secrets } from '../runtime/secrets.ts';

/** Matches from one address: as many at once, as many more a second. Each counts, whatever it is: the limit must not tell which are real. */
const MATCHES = { burst: 1_000, perSecond: 10 };
const LARGEST_SOURCE = 64;
const LARGEST_URL = 512;

/**
 * Takes in leaked keys from whoever found them: GitHub's secret scanning, another scanner, a person with curl. Nobody has to say who they
 * are, for who holds a secret could use it and may as well end it. Nobody is told anything either: a key that is known and one that is not
 * take the same way to the same answer, and are looked up after it. Secrets are hashed here and kept nowhere.
 */
export function addLeakedKeys(
  app: FastifyInstance,
  options: {
    /** In role `writer`. */
    readonly db: Kysely<Database>;
    readonly secrets: Secrets;
    readonly clientAddress: ClientAddressOf;
    readonly onKept: () => void;
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Log;
  },
): void {
  const { db, secrets, clientAddress, onKept, clock, random, log } = options;
  const limiter = createFailureLimiter({ clock, ...MATCHES });

  const refuse = (reply: FastifyReply, code: ErrorCode, message: string): FastifyReply => {
    const requestId = idFromUuid('request', mintUuid(clock.now(), random.bytes(10)));
    return reply.code(ERRORS[code].status).send(errorEnvelope({ ...ERRORS[code], code, message, param: null, meta: {} }, requestId));
  };

  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error, _request, reply) => {
      // Whatever it was, it does not repeat what was sent.
      const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : 500;
      if (status === 413) return refuse(reply, 'request_too_large', 'The body is too large: send fewer matches at once.');
      if (status === 415) return refuse(reply, 'unsupported_content_type', ERRORS.unsupported_content_type.message);
      if (typeof status === 'number' && status < 500) return refuse(reply, 'invalid_request', ERRORS.invalid_request.message);
      log.warn({ error }, 'leaked keys could not be kept');
      return refuse(reply.header('retry-after', '5'), 'overloaded', 'The matches cannot be kept right now. Send them again.');
    });

    scope.post(LEAKED_KEYS, async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const address = clientAddress(request.raw);
      const blockedSeconds = limiter.blockedSeconds(address ?? '');
      if (blockedSeconds > 0) {
        reply.header('retry-after', String(blockedSeconds));
        return refuse(reply, 'rate_limit_exceeded', 'Too many matches came from this address.');
      }
      const matches = parseLeakedKeys(String(request.body));
      if (matches === null) {
        limiter.fail(address ?? '');
        return refuse(reply, 'invalid_request', 'Send a JSON array of 1 to 1000 matches: `[{"token":"tpk_…","url":"…","source":"…"}]`.');
      }
      for (const _match of matches) limiter.fail(address ?? '');
      const userAgent = request.headers['user-agent']?.slice(0, 256) ?? null;
      const reports = new Map<string, LeakedKeyReport>();
      for (const match of matches) {
        if (parseVirtualKey(match.token) === null) continue;
        reports.set(match.token, { hash: secrets.hashKey(match.token), ...placeOf(match), address, userAgent });
      }
      if (!(await keepLeakedKeys(db, [...reports.values()], new Date(clock.now())))) {
        reply.header('retry-after', '5');
        return refuse(reply, 'overloaded', 'Too many matches wait to be looked up. Send them again.');
      }
      onKept();
      return reply.code(202).send({ received: matches.length } satisfies LeakedKeysReceived);
    });
  });
}

/** Where it was found, as it may be kept: of an address no query and fragment, which may hold secrets of others, and nowhere a key. */
function placeOf({ source, url }: LeakedKeyMatch): Pick<LeakedKeyReport, 'source' | 'url'> {
  const place = url == null || url === '' ? null : URL.parse(url);
  const isWeb = place?.protocol === 'https:' || place?.protocol === 'http:';
  return {
    source: source == null || source === '' ? null : storable(source).slice(0, LARGEST_SOURCE),
    url: place === null || !isWeb ? null : storable(`${place.origin}${place.pathname}`).slice(0, LARGEST_URL),
  };
}

/** PostgreSQL takes no NUL, and a log is read by people. */
function storable(text: string): string {
  return text
    .toWellFormed()
    .replace(/\p{Cc}/gu, ' ')
    .replace(/tpk_\w+/g, 'tpk_…');
}
