import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { SealError, seal, unseal } from '../../registry/sealing.ts';
import type { Random } from '../../runtime/random.ts';
import type { Secrets } from '../../runtime/secrets.ts';

/** An answer as it went, or would have gone, to the application; what is of the gateway's own in its head is made anew. */
export interface KeptAnswer {
  readonly status: number;
  readonly contentType: string;
  /** The model and provider that answered. */
  readonly model: string | null;
  readonly provider: string | null;
  /** null = it succeeded. */
  readonly errorCode: string | null;
  /** To the byte, without the comments that kept a stream alive. */
  readonly body: Buffer;
}

/** Whose answer it is; uuids. */
export interface AnswerPlace {
  readonly organization: string;
  readonly request: string;
}

/** Makes of an answer what the database may keep, and back. */
export interface AnswerSeals {
  seal(answer: KeptAnswer, place: AnswerPlace): Promise<Buffer>;
  /** @throws where it was altered, moved or sealed under another master key. */
  open(sealed: Buffer, place: AnswerPlace): Promise<KeptAnswer>;
}

const NullableText = Type.Union([Type.String(), Type.Null()]);
const Head = Type.Object({
  format: Type.Literal(1),
  status: Type.Integer({ minimum: 100, maximum: 599 }),
  contentType: Type.String(),
  model: NullableText,
  provider: NullableText,
  errorCode: NullableText,
});
const check = Compile(Head);

const compress = promisify(gzip);
const decompress = promisify(gunzip);
/** A stream repeats itself in each event: this takes nine tenths of it away, off the event loop. */
const GZIP_LEVEL = 4;
const LINE_END = 0x0a;

/**
 * Answers are the customer's data: compressed, and sealed under a key that each organization has of its own, derived from the master key (an organization
 * has a stored data key only once it keeps credentials). They open for their own request alone.
 * @param maxBytes of an answer.
 */
export function createAnswerSeals(deriveKey: Secrets['deriveKey'], random: Random, maxBytes: number): AnswerSeals {
  const keyOf = (organization: string) => deriveKey(`idempotency-answers/1/${organization}`);
  return {
    seal: async ({ body, ...head }, place) => {
      const text = Buffer.from(`${JSON.stringify({ format: 1, ...head })}\n`, 'utf8');
      const plain = Buffer.concat([text, await compress(body, { level: GZIP_LEVEL })]);
      return seal(keyOf(place.organization), plain, placeText(place), random);
    },
    open: async (sealed, place) => {
      const plain = unseal(keyOf(place.organization), sealed, placeText(place));
      const end = plain.indexOf(LINE_END);
      const head: unknown = end === -1 ? null : JSON.parse(plain.toString('utf8', 0, end));
      if (!check.Check(head)) throw new SealError(`${placeText(place)}: of another format`);
      const { format: _, ...rest } = head;
      return { ...rest, body: await decompress(plain.subarray(end + 1), { maxOutputLength: maxBytes }) };
    },
  };
}

function placeText({ organization, request }: AnswerPlace): string {
  return `answer to request ${request} of organization ${organization}`;
}
