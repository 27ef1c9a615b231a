import type { WriteCode } from './snippet.ts';
import { shellText } from './text-literal.ts';

type Request = {
  /** Of a model, where it is a part of the path. */
  readonly path: string | ((model: string) => string);
  /** Before everything else: `-N` shows a stream as it comes. */
  readonly flags?: string;
  /** In which the key goes; `authorization` unless said otherwise. */
  readonly keyHeader?: string;
  readonly headers?: readonly string[];
  readonly json?: (model: string) => object;
  /** Fields of a form, and the file that goes with them in its own: `file=@speech.mp3`. */
  readonly form?: (model: string) => Readonly<Record<string, string>>;
  readonly file?: string;
};

/** A request by curl, an argument a line. */
export function curl({ path, flags, keyHeader, headers = [], json, form, file }: Request): WriteCode {
  return ({ origin, model }) => {
    const url = origin + (typeof path === 'string' ? path : path(model));
    const parts = [
      `curl ${flags === undefined ? '' : `${flags} `}${shellText(url)}`,
      // In double quotes, for the shell puts the key there.
      `-H "${keyHeader === undefined ? 'authorization: Bearer' : `${keyHeader}:`} $TURNPIKE_KEY"`,
      ...headers.map((header) => `-H ${shellText(header)}`),
    ];
    if (json !== undefined) parts.push("-H 'content-type: application/json'", `-d ${shellText(spacedJson(json(model)))}`);
    if (file !== undefined) parts.push(`-F ${shellText(file)}`);
    for (const [name, value] of Object.entries(form?.(model) ?? {})) parts.push(`--form-string ${shellText(`${name}=${value}`)}`);
    return `${parts.join(' \\\n  ')}\n`;
  };
}

/** On one line, with a blank wherever a person would put one. */
function spacedJson(value: object): string {
  // No line end stands in a text of JSON, so all of them are layout.
  return JSON.stringify(value, null, 1)
    .replace(/([[{])\n\s*/g, '$1')
    .replace(/\n\s*([\]}])/g, '$1')
    .replace(/\n\s*/g, ' ');
}
