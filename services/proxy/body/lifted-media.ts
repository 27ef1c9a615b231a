import { stringEnd } from './json-members.ts';
import type { SentBody } from './sent-body.ts';
import { LARGE_BYTES } from './sent-body.ts';

/** Shorter strings stay where they are. */
const LEAST_MEDIA_BYTES = 64 * 1024;
/** How much of a string stays in its place: it says what the rest is, and is longer than any name may be. */
const KEPT_BYTES = 512;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;
const LEAST_GRAPHIC = 0x21;
const WORD = Int32Array.BYTES_PER_ELEMENT;
const LEAST_GRAPHICS = 0x21212121;
/** As an integer of 32 bits, in which all of it is reckoned. */
const HIGHEST_BITS = 0x80808080 | 0;
/** A control character that no text has. */
const LEAST_TEXT = 0x09;
const DATA_URL = /^data:([^;,]*)[^,]*;base64,/i;
const PDF = '%PDF';

/** A JSON body without the pictures, sounds and documents in it: those of many bytes lie where they arrived and are neither parsed nor copied. */
export interface LiftedMedia {
  /** The body with a mark in the place of what was lifted out of it: JSON. */
  readonly skeleton: Buffer;
  /** What was made of the skeleton, JSON too, with everything in the place of its mark again. */
  restore(json: string): SentBody;
}

/**
 * Lifts what is base64 out of a large body. Its beginning stays in its place, so that whoever reads the skeleton sees what it is; nobody may look
 * further into it, or count by its length.
 * @param newMark gives letters and digits that no sender can know. @returns null where there is nothing to lift.
 */
export function liftMedia(bytes: Buffer, newMark: () => string): LiftedMedia | null {
  if (bytes.length < LARGE_BYTES) return null;
  const mark = newMark();
  const lifted: Buffer[] = [];
  const parts: Buffer[] = [];
  let from = 0;
  for (let quote = bytes.indexOf(QUOTE); quote >= 0; ) {
    const end = stringEnd(bytes, quote);
    // Between `\` and what it escapes nothing may come.
    const cut = quote + 1 + KEPT_BYTES + (bytes[quote + KEPT_BYTES] === BACKSLASH ? 1 : 0);
    if (end - quote > LEAST_MEDIA_BYTES && isMedia(bytes, quote + 1, cut, end - 1)) {
      parts.push(bytes.subarray(from, cut), Buffer.from(`${mark}x${lifted.length}x`, 'latin1'));
      lifted.push(bytes.subarray(cut, end - 1));
      from = end - 1;
    }
    quote = bytes.indexOf(QUOTE, end);
  }
  if (lifted.length === 0) return null;
  parts.push(bytes.subarray(from));
  return { skeleton: Buffer.concat(parts), restore: (json) => restored(json, mark, lifted) };
}

/** The numbers of the marks are every second part of what is cut there. */
function restored(json: string, mark: string, lifted: readonly Buffer[]): SentBody {
  const parts = json.split(new RegExp(`${mark}x(\\d+)x`));
  return parts.map((part, index) => (index % 2 === 0 ? Buffer.from(part, 'utf8') : (lifted[Number(part)] ?? Buffer.alloc(0))));
}

/** Whether a string is the base64 of what is no text: texts are for whoever translates them to see. */
function isMedia(bytes: Buffer, start: number, cut: number, end: number): boolean {
  const text = bytes.toString('latin1', start, cut).replaceAll('\\/', '/');
  const url = DATA_URL.exec(text);
  if (url?.[1]?.toLowerCase().startsWith('text/') === true) return false;
  const begin = Buffer.from(text.slice(url?.[0].length ?? 0), 'base64');
  if (!isBinary(begin)) return false;
  const media = bytes.subarray(cut, end);
  return isStandard(media) && hasNoEscape(bytes.subarray(start, end)) && isGraphic(bytes, cut, end);
}

function isBinary(begin: Buffer): boolean {
  if (begin.toString('latin1', 0, PDF.length) === PDF) return true;
  // A text of two bytes a character says so at its beginning.
  const isWide = (begin[0] === 0xff && begin[1] === 0xfe) || (begin[0] === 0xfe && begin[1] === 0xff);
  return !isWide && begin.some((byte) => byte < LEAST_TEXT);
}

/** Nothing but ASCII without spaces and control characters: what stands so in one JSON string may stand in any other. */
function isGraphic(bytes: Buffer, start: number, end: number): boolean {
  const offset = bytes.byteOffset + start;
  const before = Math.min((WORD - (offset % WORD)) % WORD, end - start);
  const words = new Int32Array(bytes.buffer, offset + before, Math.floor((end - start - before) / WORD));
  // Four bytes at a time, in a quarter of the time: a byte below `!` borrows into its highest bit.
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? 0;
    if (((((word - LEAST_GRAPHICS) | 0) & ~word) | word) & HIGHEST_BITS) return false;
  }
  const rest = start + before + words.byteLength;
  return [...bytes.subarray(start, start + before), ...bytes.subarray(rest, end)].every((byte) => byte >= LEAST_GRAPHIC && byte < 0x80);
}

/** Whoever reads the other alphabet of base64 has to write it anew. */
function isStandard(media: Buffer): boolean {
  return !media.includes('-') && !media.includes('_');
}

/** But for slashes, which PHP escapes. */
function hasNoEscape(media: Buffer): boolean {
  for (let at = media.indexOf(BACKSLASH); at >= 0; at = media.indexOf(BACKSLASH, at + 2)) if (media[at + 1] !== SLASH) return false;
  return true;
}
