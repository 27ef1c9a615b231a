import { PlainFailure } from '../../runtime/start-refusal.ts';
import { table } from '../table.ts';
import type { Language, Snippet } from './snippet.ts';
import { LANGUAGES } from './snippet.ts';
import { findSnippet, SNIPPETS } from './snippets.ts';

export type SnippetOptions = { readonly language: Language; readonly model?: string; readonly json?: true };

/**
 * What `turnpike snippet` prints, with its line end: the list where no endpoint is named.
 * @param url where the proxy is, with or without a `/v1` behind it.
 * @throws PlainFailure where there is no such endpoint, or it cannot be asked so.
 */
export function answerSnippet(endpoint: string | undefined, { language, model: given, json }: SnippetOptions, url: string): string {
  if (endpoint === undefined) return json === true ? inJson(SNIPPETS.map(listed)) : list();
  const snippet = findSnippet(endpoint);
  if (snippet === null) {
    throw new PlainFailure(`There is no ${JSON.stringify(endpoint)}. These are: ${SNIPPETS.map(({ name }) => name).join(', ')}.`);
  }
  const model = chooseModel(snippet, given);
  const code = snippet.code[language]({ origin: originOf(url), model: model ?? '' });
  return json === true ? inJson({ name: snippet.name, endpoint: snippet.endpoint, model, language, code }) : code;
}

function inJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function listed({ name, title, endpoint, model }: Snippet): object {
  return { name, title, endpoint, model, languages: LANGUAGES };
}

function list(): string {
  const rows = SNIPPETS.map(({ name, title, endpoint, model }) => [name, endpoint, model ?? '-', title]);
  return `${table(['NAME', 'ENDPOINT', 'MODEL', 'WHAT IT ASKS FOR'], rows)}\n`;
}

function chooseModel({ name, model }: Snippet, given: string | undefined): string | null {
  if (given === undefined) return model;
  if (model === null) throw new PlainFailure(`--model: ${name} takes no model`);
  if (given === '') throw new PlainFailure('--model: expected a name such as sim/echo, found nothing');
  return given;
}

/** What stands before the paths of endpoints. */
function originOf(text: string): string {
  const url = URL.parse(text);
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== '' ||
    url.password !== '' ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    throw new PlainFailure('--url: expected http://host:port, without a user, password or query');
  }
  return url.href.replace(/\/(v1\/?)?$/, '');
}
