import type { ResponsesRequest } from '../../../../schema/http/responses.ts';
import type { ApplicationDialect } from '../../conversation/dialect.ts';
import { readResponsesRequest } from './read-request.ts';
import { ResponseWriter } from './response-writer.ts';

/** OpenAI's Responses API as applications speak it, for providers that speak another. */
export const responsesDialect: ApplicationDialect<ResponsesRequest> = {
  readRequest: readResponsesRequest,
  writeAnswer: (events, stamp, request) => {
    const writer = new ResponseWriter(stamp, request);
    for (const event of events) writer.write(event);
    return writer.response();
  },
  createStreamWriter: (stamp, request) => new ResponseWriter(stamp, request),
};
