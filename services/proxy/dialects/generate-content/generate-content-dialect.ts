import type { GenerateContentRequest } from '../../../../schema/http/generate-content.ts';
import type { ApplicationDialect } from '../../conversation/dialect.ts';
import { readRequest } from './read-request.ts';
import { writeAnswer } from './write-answer.ts';
import { ContentStreamWriter } from './write-stream.ts';

/** Google's generateContent, as applications speak it. */
export const generateContentDialect: ApplicationDialect<GenerateContentRequest> = {
  readRequest,
  writeAnswer,
  createStreamWriter: (stamp, _request, notCarried) => new ContentStreamWriter(stamp, notCarried),
};
