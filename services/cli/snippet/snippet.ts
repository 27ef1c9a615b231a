import type { ENDPOINTS } from '../../../schema/http/endpoints.ts';

export const LANGUAGES = ['curl', 'python', 'typescript'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What code is written for: the origin of a proxy, such as `http://127.0.0.1:4000`, and a model; empty where the endpoint takes none. */
export type SnippetTarget = { readonly origin: string; readonly model: string };

/** Code in one language, which ends with a line end and reads the key from the variable TURNPIKE_KEY. */
export type WriteCode = (target: SnippetTarget) => string;

/** How an application asks for something, in every language. */
export type Snippet = {
  /** What it is called on the command line. */
  readonly name: string;
  readonly title: string;
  readonly endpoint: (typeof ENDPOINTS)[number];
  /** What is asked where nobody says otherwise; null where the endpoint takes no model. */
  readonly model: string | null;
  readonly code: Readonly<Record<Language, WriteCode>>;
};
