import { MAX_HEAD_BYTES, MAX_PARTS, noForm, readPartHead } from '../body/multipart-form.ts';

/** What comes of a form, in order; the bytes of all pieces are the form. */
export type FormPiece =
  /** The delimiter before a part, and its headers. */
  | { readonly kind: 'head'; readonly name: string; readonly isFile: boolean; readonly bytes: Buffer }
  /** Of what is in the part. */
  | { readonly kind: 'content'; readonly bytes: Buffer }
  /** The last delimiter, and what follows it. */
  | { readonly kind: 'end'; readonly bytes: Buffer };

const NOTHING = Buffer.alloc(0);
const HEAD_END = '\r\n\r\n';

/**
 * Finds the parts of a `multipart/form-data` body while it comes: holds no more of it than the headers of one part, and a delimiter.
 * @throws {GatewayError} `invalid_request` where it is none, as `parseForm` has it.
 */
export async function* formPieces(body: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<FormPiece, void, undefined> {
  const chunks = body[Symbol.asyncIterator]();
  let rest: Buffer = NOTHING;
  const more = async (): Promise<boolean> => {
    const next = await chunks.next();
    if (next.done === true) return false;
    rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value]);
    return true;
  };
  const atLeast = async (bytes: number): Promise<void> => {
    while (rest.length < bytes) if (!(await more())) throw noForm();
  };
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  let opening = delimiter.subarray(2);

  for (let parts = 0; ; parts += 1) {
    await atLeast(opening.length + 2);
    if (!rest.subarray(0, opening.length).equals(opening)) throw noForm();
    const after = rest.toString('latin1', opening.length, opening.length + 2);
    if (after === '--') {
      while (rest.length <= MAX_HEAD_BYTES && (await more()));
      yield { kind: 'end', bytes: rest };
      return;
    }
    if (after !== '\r\n' || parts === MAX_PARTS) throw noForm();
    let headEnd = rest.indexOf(HEAD_END, opening.length);
    while (headEnd < 0) {
      if (rest.length > MAX_HEAD_BYTES + opening.length || !(await more())) throw noForm();
      headEnd = rest.indexOf(HEAD_END, opening.length);
    }
    const start = headEnd + HEAD_END.length;
    const head = readPartHead(rest.toString('utf8', opening.length + 2, headEnd));
    yield { kind: 'head', ...head, bytes: rest.subarray(0, start) };
    rest = rest.subarray(start);
    opening = delimiter;

    for (let end = rest.indexOf(delimiter); ; end = rest.indexOf(delimiter)) {
      // What could be the beginning of a delimiter waits for its end.
      const certain = end < 0 ? Math.max(0, rest.length - delimiter.length + 1) : end;
      if (certain > 0) yield { kind: 'content', bytes: rest.subarray(0, certain) };
      rest = rest.subarray(certain);
      if (end >= 0) break;
      if (!(await more())) throw noForm();
    }
  }
}
