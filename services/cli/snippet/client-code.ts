/** Code after the lines that make a client; `model` is a literal of the language, and the code ends with a line end. */
export type ClientCode = (model: string) => string;

/** What else code imports, a line each, and where below the origin its client asks, `/v1` unless said otherwise. */
export type ClientExtras = { readonly imports?: string; readonly path?: string };
