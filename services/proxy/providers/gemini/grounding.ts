import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { Citation } from '../../conversation/answer-event.ts';

/**
 * What the text of an answer rests on: the sources that were searched (`groundingMetadata`), each with the passage it supports, and what was recited
 * (`citationMetadata`). Google counts bytes; a citation counts characters.
 * @param text of the choice so far.
 */
export function citationsOf({ groundingMetadata, citationMetadata }: Fields, text: string): Citation[] {
  const citations: Citation[] = [];
  if (isFields(groundingMetadata)) {
    const sources = listOf(groundingMetadata.groundingChunks).map(sourceOf);
    for (const support of listOf(groundingMetadata.groundingSupports)) {
      const passage = passageOf(isFields(support.segment) ? support.segment : {}, text);
      const indices: readonly unknown[] = Array.isArray(support.groundingChunkIndices) ? support.groundingChunkIndices : [];
      for (const index of indices) {
        const source = typeof index === 'number' ? sources[index] : undefined;
        if (source !== undefined) citations.push({ ...source, ...passage });
      }
    }
  }
  if (isFields(citationMetadata)) {
    for (const cited of listOf(citationMetadata.citations ?? citationMetadata.citationSources)) {
      citations.push({ title: textOf(cited.title), url: textOf(cited.uri), quoted: null, ...passageOf(cited, text) });
    }
  }
  return citations;
}

/** A page, a passage that was retrieved, or a place on a map. */
function sourceOf({ web, retrievedContext, maps }: Fields): Pick<Citation, 'title' | 'url' | 'quoted'> {
  const source = [web, retrievedContext, maps].find(isFields) ?? {};
  return { title: textOf(source.title), url: textOf(source.uri), quoted: textOf(source.text) };
}

/** Where a passage stands: where Google says by bytes, if it is there; else where its words are found first. */
function passageOf({ startIndex = 0, endIndex, text: words }: Fields, text: string): Pick<Citation, 'start' | 'end'> {
  if (typeof startIndex === 'number' && typeof endIndex === 'number') {
    const bytes = Buffer.from(text, 'utf8');
    const start = bytes.toString('utf8', 0, startIndex).length;
    const end = start + bytes.toString('utf8', startIndex, endIndex).length;
    if (end > start && (typeof words !== 'string' || text.slice(start, end) === words)) return { start, end };
  }
  const found = typeof words === 'string' && words !== '' ? text.indexOf(words) : -1;
  return found < 0 || typeof words !== 'string' ? { start: null, end: null } : { start: found, end: found + words.length };
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}
