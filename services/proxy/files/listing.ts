import { GatewayError } from '../../../schema/errors.ts';
import { requestQuery } from '../http/request-path.ts';
import type { ListedPage } from './file-records.ts';

/** The page that a request asks for. */
export interface AskedPage {
  readonly after: string | null;
  readonly limit: number;
  readonly ascending: boolean;
  readonly purpose: string | null;
}

const MAX_LIMIT = 1_000;

/** Reads the query of a list. @param usual how many are on a page where it does not say. @throws {GatewayError} `invalid_request`. */
export function askedPage(url: string, usual: number): AskedPage {
  const query = new URLSearchParams(requestQuery(url));
  const limit = Number(query.get('limit') ?? usual);
  const order = query.get('order') ?? 'desc';
  if (!Number.isInteger(limit) || limit < 1) throw invalid('limit');
  if (order !== 'asc' && order !== 'desc') throw invalid('order');
  return { after: query.get('after'), limit: Math.min(limit, MAX_LIMIT), ascending: order === 'asc', purpose: query.get('purpose') };
}

/** A list as OpenAI answers it. */
export function listOf({ objects, hasMore }: ListedPage): unknown {
  return { object: 'list', data: objects, first_id: idOf(objects[0]), last_id: idOf(objects.at(-1)), has_more: hasMore };
}

function idOf(object: unknown): unknown {
  return typeof object === 'object' && object !== null && 'id' in object ? object.id : null;
}

function invalid(param: string): GatewayError {
  return new GatewayError('invalid_request', { message: `Invalid '${param}'.`, param });
}
