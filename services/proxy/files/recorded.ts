import { GatewayError } from '../../../schema/errors.ts';

/** What the database says of files and batches, which are known there alone. @throws {GatewayError} `accounting_unavailable` where it says nothing. */
export async function recorded<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer;
  } catch (cause) {
    throw new GatewayError('accounting_unavailable', {
      message: 'Files and batches cannot be looked up right now. Retry.',
      retryAfterSeconds: 1,
      cause,
    });
  }
}
