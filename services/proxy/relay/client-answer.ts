import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { gzip } from 'node:zlib';
import { costHeaders, identityHeaders, providerHeaders, STREAM_HEADERS, timingHeaders, warningHeaders } from '../answer/answer-headers.ts';
import type { ErrorAnswer } from '../answer/error-answer.ts';
import { sendErrorAnswer } from '../answer/error-answer.ts';
import { budgetWarningHeaders } from '../budgets/budget-warning.ts';
import type { Exchange } from '../exchange.ts';
import type { AnswerHead } from '../providers/provider.ts';
import type { SettledCost } from '../settlement/settle.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';

/** What a whole answer goes out with. */
export interface WholeAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly cost: SettledCost;
  readonly overheadMs: number;
  readonly upstreamMs: number;
  /** Smallest body that is compressed. */
  readonly gzipMinBytes: number;
  readonly stallMs: number;
  /** Of the provider's own. */
  readonly headers: readonly string[];
}

/** Most of the gain for a third of the time of the default. */
const GZIP_LEVEL = 4;

/** Sends a provider's whole answer: its bytes, our headers, compressed off the event loop where that is worth it. */
export function sendWholeAnswer(exchange: Exchange, target: CompiledModel, answer: WholeAnswer): void {
  const { body } = answer;
  if (body.length < answer.gzipMinBytes || !isText(answer.contentType) || !acceptsGzip(exchange.headers)) {
    writeWhole(exchange, target, answer, body, null);
    return;
  }
  gzip(body, { level: GZIP_LEVEL }, (error, compressed) => {
    if (error === null) writeWhole(exchange, target, answer, compressed, 'gzip');
    else writeWhole(exchange, target, answer, body, null);
    boundStall(exchange.response, answer.stallMs);
  });
}

function writeWhole(exchange: Exchange, target: CompiledModel, answer: WholeAnswer, bytes: Buffer, encoding: string | null): void {
  const { response } = exchange;
  if (response.destroyed) return;
  const headers = ['content-type', answer.contentType, 'content-length', String(bytes.length), 'vary', 'accept-encoding'];
  if (encoding !== null) headers.push('content-encoding', encoding);
  headers.push(
    ...answer.headers,
    ...identityHeaders(exchange),
    ...providerHeaders(target),
    ...warningHeaders(exchange),
    ...budgetWarningHeaders(exchange),
    ...costHeaders(answer.cost),
    ...timingHeaders(answer.overheadMs, answer.upstreamMs),
  );
  if (exchange.limitHeaders !== null) headers.push(...exchange.limitHeaders);
  response.writeHead(answer.status, headers);
  response.end(bytes);
}

/** Sends the head of a stream; it leaves with the first event. */
export function sendStreamHead(
  exchange: Exchange,
  target: CompiledModel,
  overheadMs: number,
  upstreamMs: number,
  { headers, framing }: AnswerHead,
): void {
  if (exchange.response.destroyed) return;
  exchange.response.writeHead(200, [
    ...(framing === null ? STREAM_HEADERS : ['content-type', framing.contentType, ...STREAM_HEADERS.slice(2)]),
    ...headers,
    ...identityHeaders(exchange),
    ...providerHeaders(target),
    ...warningHeaders(exchange),
    ...budgetWarningHeaders(exchange),
    ...timingHeaders(overheadMs, upstreamMs),
    ...(exchange.limitHeaders ?? []),
  ]);
}

/** Sends an error in which a provider took part. @param own of its own headers, flat. */
export function sendProviderError(exchange: Exchange, target: CompiledModel, answer: ErrorAnswer, own: readonly string[] = []): void {
  const headers = [
    ...own,
    ...providerHeaders(target),
    ...warningHeaders(exchange),
    ...budgetWarningHeaders(exchange),
    ...(exchange.limitHeaders ?? []),
  ];
  sendErrorAnswer(exchange, answer, headers);
}

/** Gives a client that does not take the rest of its answer only so long. */
export function boundStall(response: ServerResponse, stallMs: number): void {
  if (!response.destroyed && response.writableLength > 0) response.setTimeout(stallMs, () => response.destroy());
}

/** The status the client saw, or another when none went out. */
export function statusSent(response: ServerResponse, otherwise: number): number {
  return response.headersSent ? response.statusCode : otherwise;
}

/** Pictures and sound are compressed already. */
function isText(contentType: string): boolean {
  return /json|^text\//i.test(contentType);
}

/** Whether a client takes gzip; `gzip;q=0` says no. */
function acceptsGzip(headers: IncomingHttpHeaders): boolean {
  const accepted = headers['accept-encoding'];
  return typeof accepted === 'string' && /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)/i.test(accepted);
}
