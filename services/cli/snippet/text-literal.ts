/** A text as Python writes it: every escape that JSON has means the same there. */
export function pythonText(text: string): string {
  return JSON.stringify(text);
}

/** A text as TypeScript writes it, in single quotes. */
export function typescriptText(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** A text as one word of a shell, in which nothing has a meaning. */
export function shellText(text: string): string {
  return /^[\w%+,./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
