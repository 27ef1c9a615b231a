import { GatewayError } from '../../../schema/errors.ts';
import type { Fields } from '../body/json-fields.ts';
import { isFields, parseFields, textOf } from '../body/json-fields.ts';
import { jsonMembers } from '../body/json-members.ts';
import { joined } from '../body/sent-body.ts';
import type { Splice } from '../body/splice.ts';
import { spliced } from '../body/splice.ts';
import { keptRefusal, refuseKeptFiles } from '../providers/kept-files.ts';
import { keptReference } from '../providers/openai/responses/kept-references.ts';

/** How the lines of a file name their model, and what the provider calls it. */
export interface Renamed {
  readonly from: string;
  readonly to: string;
  /** Whether every line keeps its length, since that of the whole was announced: a name that is shorter is followed by spaces. */
  readonly keepsLength: boolean;
  /** Whether several organizations share the account: no line may name what is kept there, as no request may. */
  readonly isShared: boolean;
}

/** A line of the input of a batch. */
export interface BatchLine {
  readonly model: string;
  /** The request that it makes. */
  readonly body: Fields;
}

/** What a line of the input of a batch says; null where the bytes are no such line. */
export function readBatchLine(line: Buffer): BatchLine | null {
  const fields = parseFields(line);
  if (fields === null || textOf(fields.custom_id) === null || !isFields(fields.body)) return null;
  const { body } = fields;
  const model = textOf(body.model);
  return model === null ? null : { model, body };
}

/**
 * A line of the input of a batch with the provider's own name of its model; every other byte stays. One that is empty passes.
 * @param number of the line, from 1. @throws {GatewayError} `invalid_request` for what is no such line, or asks for another model than the first: what a
 *   batch costs is known by its one model, and no provider takes several.
 */
export function renameModel(line: Buffer, number: number, { from, to, keepsLength, isShared }: Renamed): Buffer {
  if (line.toString('latin1').trim() === '') return line;
  const read = readBatchLine(line);
  if (read === null) throw invalidLine(number, "must be a JSON object with a 'custom_id' and a 'body' that names a model");
  if (isShared) refuseKept(read.body);
  if (read.model !== from) throw invalidLine(number, `must name the model '${from}' as the lines before it`);
  const splices: Splice[] = [];
  for (const body of jsonMembers(line) ?? []) {
    if (body.key !== 'body') continue;
    for (const { key, start, end } of jsonMembers(line, body.start) ?? []) {
      if (key !== 'model') continue;
      const text = keepsLength ? JSON.stringify(to).padEnd(end - start) : JSON.stringify(to);
      if (keepsLength && Buffer.byteLength(text) !== end - start) throw invalidLine(number, `must spell the model as the first line does`);
      splices.push({ start, end, text });
    }
  }
  return joined(spliced(line, splices));
}

/** The prompt of a completion is a text; that of a response names one that is kept. @throws {GatewayError} */
function refuseKept(body: Fields): void {
  refuseKeptFiles(body.messages);
  const param = keptReference(isFields(body.prompt) ? body : { ...body, prompt: null });
  if (param !== null) throw keptRefusal(param);
}

/** Whether a name may take the place of another without making its line longer. */
export function fitsInPlace({ from, to }: Pick<Renamed, 'from' | 'to'>): boolean {
  return Buffer.byteLength(JSON.stringify(to)) <= Buffer.byteLength(JSON.stringify(from));
}

function invalidLine(number: number, what: string): GatewayError {
  return new GatewayError('invalid_request', { message: `Line ${number} of the file ${what}.`, param: 'file' });
}
