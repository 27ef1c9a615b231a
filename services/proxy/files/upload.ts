import { GatewayError } from '../../../schema/errors.ts';
import { LineSplitter } from '../body/line-splitter.ts';
import type { Renamed } from './batch-line.ts';
import { readBatchLine, renameModel } from './batch-line.ts';
import type { FormPiece } from './form-pieces.ts';

/** Longest line of the input of a batch. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
/** As large as the largest file that OpenAI takes. */
const MAX_UPLOAD_BYTES = 512 * 1024 * 1024;
const MAX_PURPOSE_BYTES = 64;
const BATCH = 'batch';
const LINE_END = 0x0a;
const OPEN_BRACE = 0x7b;
const ONE_FILE = "There must be one 'file', and no other.";

/** A form with a file on its way to a provider: read piece by piece, and never held whole. */
export class Upload {
  readonly #pieces: AsyncGenerator<FormPiece, void, undefined>;
  /** What was read to find out where it goes. */
  #ahead: FormPiece[] = [];
  #isInFile = false;
  #files = 0;
  #receivedBytes = 0;
  /** The texts of its fields of that name, in pieces; null between two fields. */
  #purposes: string[] = [];
  #field: string | null = null;

  constructor(pieces: AsyncGenerator<FormPiece, void, undefined>) {
    this.#pieces = pieces;
  }

  /** What the file is for; known once all has passed, since the field may stand behind the file. */
  get purpose(): string | null {
    return this.#purposes[0] ?? null;
  }

  /** Reads as far as it takes to know where it goes. @returns the model of the first line; null where the file is no input of a batch. @throws {GatewayError} */
  async firstModel(): Promise<string | null> {
    const first: Buffer[] = [];
    let bytes = 0;
    let inFile = false;
    for (;;) {
      const { done, value: piece } = await this.#pieces.next();
      if (done === true) break;
      this.#ahead.push(piece);
      if (piece.kind === 'content') {
        if (!inFile) continue;
        first.push(piece.bytes);
        bytes += piece.bytes.length;
        if (first[0]?.[0] !== OPEN_BRACE || bytes > MAX_LINE_BYTES || piece.bytes.includes(LINE_END)) break;
      } else if (inFile || piece.kind === 'end') break;
      else inFile = piece.isFile;
    }
    const start = Buffer.concat(first);
    const end = start.indexOf(LINE_END);
    return readBatchLine(end < 0 ? start : start.subarray(0, end))?.model ?? null;
  }

  /**
   * The form for the provider, what {@link firstModel} has read first. Its last delimiter comes only when all that went before is in order.
   * @param renamed null: its file is no input of a batch, and every byte stays. @throws {GatewayError}
   */
  async *body(renamed: Renamed | null): AsyncGenerator<Buffer, void, undefined> {
    const lines = new LineSplitter(MAX_LINE_BYTES);
    let number = 0;
    const line = (bytes: Buffer | null): Buffer => {
      number += 1;
      if (bytes === null || renamed === null) throw tooLong(number);
      return renameModel(bytes, number, renamed);
    };
    for await (const piece of this.#all()) {
      this.#receivedBytes += piece.bytes.length;
      if (this.#receivedBytes > MAX_UPLOAD_BYTES)
        throw new GatewayError('request_too_large', { message: 'The file is larger than 512 MiB.' });
      if (piece.kind === 'content') {
        if (!this.#isInFile || renamed === null) {
          this.#readField(piece.bytes);
          yield piece.bytes;
          continue;
        }
        for (const whole of lines.push(piece.bytes)) yield line(whole);
        if (lines.isOver) throw tooLong(number + 1);
        continue;
      }
      if (this.#isInFile && renamed !== null) {
        const last = lines.rest();
        if (last === null || last.length > 0) yield line(last);
      }
      if (piece.kind === 'head') this.#beginPart(piece.name, piece.isFile);
      else this.#check(renamed !== null);
      yield piece.bytes;
    }
  }

  async *#all(): AsyncGenerator<FormPiece, void, undefined> {
    const ahead = this.#ahead;
    this.#ahead = [];
    for (let piece = ahead.shift(); piece !== undefined; piece = ahead.shift()) yield piece;
    yield* this.#pieces;
  }

  #beginPart(name: string, isFile: boolean): void {
    this.#isInFile = isFile;
    this.#field = isFile ? null : name;
    if (isFile !== (name === 'file')) throw invalid('file', ONE_FILE);
    if (isFile) this.#files += 1;
    if (name === 'purpose') this.#purposes.push('');
  }

  #readField(bytes: Buffer): void {
    if (this.#field !== 'purpose') return;
    const text = (this.#purposes.pop() ?? '') + bytes.toString('utf8');
    if (text.length > MAX_PURPOSE_BYTES) throw invalid('purpose', "'purpose' is too long.");
    this.#purposes.push(text);
  }

  #check(isInput: boolean): void {
    if (this.#files !== 1) throw invalid('file', ONE_FILE);
    const [purpose] = this.#purposes;
    if (this.#purposes.length !== 1 || purpose === undefined || purpose === '') throw invalid('purpose', "There must be one 'purpose'.");
    if (purpose === BATCH && !isInput) {
      throw invalid('file', "Line 1 of the file must be a JSON object with a 'custom_id' and a 'body' that names a model.");
    }
    if (purpose !== BATCH && isInput)
      throw invalid('purpose', "The lines of the file are the input of a batch: its 'purpose' must be 'batch'.");
  }
}

function tooLong(number: number): GatewayError {
  return invalid('file', `Line ${number} of the file is longer than 8 MiB.`);
}

function invalid(param: string, message: string): GatewayError {
  return new GatewayError('invalid_request', { message, param });
}
