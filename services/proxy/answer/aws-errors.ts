import type { ErrorDialect, ErrorWords } from './error-dialect.ts';
import { openaiEnvelope, openaiErrors } from './openai-errors.ts';

/** Bedrock's exceptions by their status; its SDKs choose their class by the name. */
const EXCEPTION_OF_STATUS: ReadonlyMap<number, string> = new Map([
  [401, 'AccessDeniedException'],
  [403, 'AccessDeniedException'],
  [404, 'ResourceNotFoundException'],
  [429, 'ThrottlingException'],
  [502, 'ServiceUnavailableException'],
  [503, 'ServiceUnavailableException'],
  [504, 'ServiceUnavailableException'],
]);

/** The name that an error has for AWS's SDKs. */
export function awsException({ status }: ErrorWords): string {
  return EXCEPTION_OF_STATUS.get(status) ?? (status < 500 ? 'ValidationException' : 'InternalServerException');
}

/** AWS's `{message, code}`, with what applications of other dialects are told beside it. */
export const awsErrors: ErrorDialect = {
  whole: (words, requestId) =>
    Buffer.from(JSON.stringify({ message: words.message, code: awsException(words), ...openaiEnvelope(words, requestId) }), 'utf8'),
  // What streams here as events is OpenAI's dialect; frames say it in their own way.
  event: openaiErrors.event,
  requestIdHeader: 'x-amzn-requestid',
};
