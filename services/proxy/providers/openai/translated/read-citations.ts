import { isFields, textOf } from '../../../body/json-fields.ts';
import type { Citation } from '../../../conversation/answer-event.ts';

/** OpenAI's annotations (`url_citation`), Perplexity's search results (`title`, `url`) or its bare addresses. */
export function readCitations(sources: readonly unknown[]): Citation[] {
  return sources.flatMap((source): Citation[] => {
    if (typeof source === 'string') return [{ title: null, url: source, quoted: null, start: null, end: null }];
    if (!isFields(source)) return [];
    const said = isFields(source.url_citation) ? source.url_citation : source;
    const url = textOf(said.url);
    if (url === null) return [];
    return [
      { title: textOf(said.title), url, quoted: textOf(said.content), start: placeOf(said.start_index), end: placeOf(said.end_index) },
    ];
  });
}

function placeOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
