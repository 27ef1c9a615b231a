/** What Converse takes, by the media type; null: it does not. */
export function imageFormatOf(mediaType: string): string | null {
  return IMAGE_FORMATS.get(bareType(mediaType)) ?? null;
}

export function documentFormatOf(mediaType: string): string | null {
  return DOCUMENT_FORMATS.get(bareType(mediaType)) ?? null;
}

const IMAGE_FORMATS: ReadonlyMap<string, string> = new Map([
  ['image/png', 'png'],
  ['image/jpeg', 'jpeg'],
  ['image/jpg', 'jpeg'],
  ['image/gif', 'gif'],
  ['image/webp', 'webp'],
]);

const DOCUMENT_FORMATS: ReadonlyMap<string, string> = new Map([
  ['application/pdf', 'pdf'],
  ['text/csv', 'csv'],
  ['text/html', 'html'],
  ['text/markdown', 'md'],
  ['text/plain', 'txt'],
  ['application/msword', 'doc'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'],
  ['application/vnd.ms-excel', 'xls'],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'xlsx'],
]);

function bareType(mediaType: string): string {
  const [type = ''] = mediaType.split(';');
  return type.trim().toLowerCase();
}

/** Of what a name of a document may not have: letters, digits, lone spaces, hyphens, parentheses and square brackets are all. */
const NOT_IN_NAME = /[^A-Za-z0-9\-()[\] ]+/g;
const MAX_NAME = 200;

/** The names that the documents of a request get: none twice, which Bedrock refuses. */
export class DocumentNames {
  readonly #given = new Set<string>();

  nameFor(title: string | null): string {
    const clean = (title ?? '').replaceAll(NOT_IN_NAME, ' ').replaceAll(/ {2,}/g, ' ').trim().slice(0, MAX_NAME).trim();
    const base = clean === '' ? 'document' : clean;
    let name = base;
    for (let copy = 2; this.#given.has(name); copy += 1) name = `${base} ${copy}`;
    this.#given.add(name);
    return name;
  }
}
