import type { Exchange } from '../exchange.ts';

/** Adds to what the answer of a request warns of. */
export function warn(exchange: Exchange, warning: string): void {
  exchange.warning = exchange.warning === null ? warning : `${exchange.warning}, ${warning}`;
}

/** More is not said by name. */
const MOST_FIELDS_LENGTH = 512;
/** Names are of the application's making, and a header takes not everything. */
const NAME = /^[\w.[\]-]{1,64}$/;

/** Of the fields of a request that had no place in its provider's dialect: `not_carried; fields=seed,logit_bias`, and how many more there are. */
export function notCarriedWarning(fields: readonly string[]): string {
  return warningOf('not_carried', fields);
}

/** Of the parts of an answer that had no place in its application's dialect: `answer_not_carried; fields=executableCode`. */
export function answerNotCarriedWarning(parts: readonly string[]): string {
  return warningOf('answer_not_carried', parts);
}

/** The same inside a stream, whose head went out before: a comment, which every client of server-sent events passes over. */
export function answerNotCarriedComment(parts: readonly string[]): string {
  return `: x-turnpike-warning: ${answerNotCarriedWarning(parts)}\n\n`;
}

function warningOf(word: string, fields: readonly string[]): string {
  let named = '';
  let others = 0;
  for (const field of fields) {
    const longer = named === '' ? field : `${named},${field}`;
    if (NAME.test(field) && longer.length <= MOST_FIELDS_LENGTH) named = longer;
    else others += 1;
  }
  return [word, ...(named === '' ? [] : [`fields=${named}`]), ...(others === 0 ? [] : [`others=${others}`])].join('; ');
}
