import type { Ranked, RerankRequest } from '../../../../schema/http/rerank.ts';
import { parseExactJson } from '../../body/exact-json.ts';
import { isFields, parseFields } from '../../body/json-fields.ts';
import { readRefusal } from '../openai/failure.ts';
import { withModel } from '../openai/model-in-body.ts';
import { readRerank } from '../openai/rerank.ts';
import type { AnswerReader, AnswerReading, Asked, Operation } from '../provider.ts';
import { NOTHING } from '../provider.ts';
import { wholeAnswers } from '../whole-answers.ts';
import { meaningOf } from './failure.ts';

const READING = { readCost: () => null, meaningOf };

/**
 * Cohere's second rerank: bytes pass as they are, but for what only its first one has, and everybody else: documents with names become the texts that
 * are ranked, and documents that shall come back are put into the answer here.
 */
export const rerank: Operation<RerankRequest> = (asked, { upstreamModel }) => {
  const { request } = asked;
  const returned = request.return_documents === true ? request.documents : null;
  return {
    path: '/v2/rerank',
    body: withModel(isAsOfSecond(request) ? asked.bytes : asOfSecond(asked), upstreamModel),
    headers: NOTHING,
    answers: answersWith(returned),
    notCarried: request.max_chunks_per_doc === undefined ? NOTHING : ['max_chunks_per_doc'],
  };
};

function isAsOfSecond({ query, documents, ...others }: RerankRequest): boolean {
  const { return_documents: returns, rank_fields: fields, max_chunks_per_doc: chunks } = others;
  const isText = typeof query === 'string' && documents.every((document) => typeof document === 'string');
  return isText && returns === undefined && fields === undefined && chunks === undefined;
}

function asOfSecond({ bytes, request }: Asked<RerankRequest>): Buffer {
  const body = parseExactJson(bytes.toString('utf8'));
  if (!isFields(body)) return bytes;
  const { return_documents: _returns, rank_fields: _fields, max_chunks_per_doc: _chunks, ...others } = body;
  const { query, documents, rank_fields: fields } = request;
  const texts = documents.map((document) => textToRank(document, fields ?? null));
  return Buffer.from(JSON.stringify({ ...others, query: textToRank(query, null), documents: texts }), 'utf8');
}

/** What of a document is ranked by: the fields that are named, else its `text`, else all of it. Several have their names before them, as Cohere advises. */
function textToRank(ranked: Ranked, fields: readonly string[] | null): string {
  if (typeof ranked === 'string') return ranked;
  const names = fields?.filter((name) => Object.hasOwn(ranked, name)) ?? ('text' in ranked ? ['text'] : Object.keys(ranked));
  const [only] = names;
  if (only !== undefined && names.length === 1) return textOfField(ranked[only]);
  return names.map((name) => `${name}: ${textOfField(ranked[name])}`).join('\n');
}

function textOfField(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** @param documents that go back with their scores; null: none do. */
function answersWith(documents: readonly Ranked[] | null): AnswerReader {
  return wholeAnswers({
    readAnswer: (bytes) => {
      const read = readRerank(bytes, READING);
      return documents === null || read === null || read.refusal !== null ? read : withDocuments(read, bytes, documents);
    },
    readRefusal: (status, headers, body) => readRefusal(status, headers, body, meaningOf),
  });
}

function withDocuments(read: AnswerReading, bytes: Buffer, documents: readonly Ranked[]): AnswerReading {
  const answer = parseFields(bytes);
  if (answer === null || !Array.isArray(answer.results)) return read;
  const results = answer.results.map((result) => {
    const document = isFields(result) && typeof result.index === 'number' ? documents[result.index] : undefined;
    return document === undefined ? result : { ...result, document: typeof document === 'string' ? { text: document } : document };
  });
  return { ...read, body: Buffer.from(JSON.stringify({ ...answer, results }), 'utf8') };
}
