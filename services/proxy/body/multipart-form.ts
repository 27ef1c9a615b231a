import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '../../../schema/errors.ts';

/** One part of a form: its name, and where its content stands, `[start, end)` in bytes. */
interface FormPart {
  readonly name: string;
  readonly isFile: boolean;
  /** Where its headers begin. */
  readonly headStart: number;
  readonly start: number;
  readonly end: number;
}

/** Bounds of any form, and of the headers of a part. */
export const MAX_PARTS = 128;
export const MAX_HEAD_BYTES = 8 * 1024;
const BOUNDARY = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;
const TOKEN = /^[\w.+'-]+$/;
const DASH = 0x2d;
const CR = 0x0d;
const LF = 0x0a;

/** A `multipart/form-data` body: where its parts are, without a copy of what is in them. */
export class MultipartForm {
  readonly #bytes: Buffer;
  readonly #boundary: string;
  readonly #parts: readonly FormPart[];

  constructor(bytes: Buffer, boundary: string, parts: readonly FormPart[]) {
    this.#bytes = bytes;
    this.#boundary = boundary;
    this.#parts = parts;
  }

  /** The header that announces it. */
  get contentType(): string {
    return `multipart/form-data; boundary=${TOKEN.test(this.#boundary) ? this.#boundary : `"${this.#boundary}"`}`;
  }

  /** The texts of the parts of a name, none of them a file. */
  texts(name: string): string[] {
    return this.partsOf(name).map(({ start, end }) => this.#bytes.toString('utf8', start, end));
  }

  /** Where the parts of a name are that are no files. */
  partsOf(name: string): readonly Pick<FormPart, 'start' | 'end'>[] {
    return this.#parts.filter((part) => part.name === name && !part.isFile);
  }

  /** How many parts have a name, files too: who reads the form may take one for the other. */
  timesNamed(name: string): number {
    return this.#parts.filter((part) => part.name === name).length;
  }

  get files(): number {
    return this.#parts.filter(({ isFile }) => isFile).length;
  }

  get fileBytes(): number {
    return this.#parts.reduce((sum, { isFile, start, end }) => sum + (isFile ? end - start : 0), 0);
  }

  /** What it says, whatever boundary it says it with. */
  pieces(): readonly Buffer[] {
    return this.#parts.map(({ headStart, end }) => this.#bytes.subarray(headStart, end));
  }
}

/** The boundary that these headers announce; null: the body is no form. */
export function formBoundary({ 'content-type': type = '', 'content-encoding': encoding = 'identity' }: IncomingHttpHeaders): string | null {
  const found = BOUNDARY.exec(type);
  if (found === null) return null;
  if (encoding.trim().toLowerCase() === 'identity') return found[1] ?? found[2] ?? null;
  throw new GatewayError('unsupported_content_type', { message: 'A form must be sent as it is, not compressed.' });
}

/**
 * Finds the parts of a form. A name that two readers could read differently is refused: who is billed for a model and who runs it must mean the same one.
 * @throws {GatewayError} `invalid_request`.
 */
export function parseForm(bytes: Buffer, boundary: string): MultipartForm {
  const opening = `--${boundary}`;
  const delimiter = Buffer.from(`\r\n${opening}`, 'latin1');
  if (!bytes.subarray(0, opening.length).equals(delimiter.subarray(2))) throw noForm();
  const parts: FormPart[] = [];
  for (let at = opening.length; ; ) {
    if (bytes[at] === DASH && bytes[at + 1] === DASH) return new MultipartForm(bytes, boundary, parts);
    if (bytes[at] !== CR || bytes[at + 1] !== LF || parts.length === MAX_PARTS) throw noForm();
    const headStart = at + 2;
    const headEnd = bytes.subarray(headStart, headStart + MAX_HEAD_BYTES).indexOf('\r\n\r\n');
    if (headEnd < 0) throw noForm();
    const start = headStart + headEnd + 4;
    const end = bytes.indexOf(delimiter, start);
    if (end < 0) throw noForm();
    parts.push({ ...readPartHead(bytes.toString('utf8', headStart, start - 4)), headStart, start, end });
    at = end + delimiter.length;
  }
}

const DISPOSITION = /^content-disposition:\s*form-data\s*((?:;[^\r\n]*)?)$/im;
const NAME = /;\s*name="([^"\\]{1,128})"/i;
const NAMES = /;\s*name\s*\*?\s*=/gi;
const DISPOSITIONS = /^content-disposition/gim;

/** What the headers of a part say of it. @throws {GatewayError} `invalid_request` where two readers could read them differently. */
export function readPartHead(head: string): Pick<FormPart, 'name' | 'isFile'> {
  const parameters = DISPOSITION.exec(head)?.[1] ?? '';
  const name = NAME.exec(parameters)?.[1];
  if (name === undefined || times(parameters, NAMES) !== 1 || times(head, DISPOSITIONS) !== 1) throw noForm();
  return { name, isFile: /;\s*filename\*?=/i.test(parameters) };
}

function times(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** The refusal of a form that cannot be read. */
export function noForm(): GatewayError {
  return new GatewayError('invalid_request', { message: 'The request body is not a form (`multipart/form-data`) that can be read.' });
}
