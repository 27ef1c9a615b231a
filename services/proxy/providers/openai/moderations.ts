import type { ModerationRequest } from '../../../../schema/http/moderations.ts';
import type { SentBody } from '../../body/sent-body.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import type { AnswerReading, Asked } from '../provider.ts';
import { withModel } from './model-in-body.ts';
import type { Reading } from './reading.ts';
import { readWholeAnswer } from './whole-answer.ts';

/** The body as the application sent it, by the provider's name of the model, also where it names none. */
export function prepareModeration({ bytes, request }: Asked<ModerationRequest>, { upstreamModel }: CompiledModel): SentBody {
  if (request.model !== undefined) return withModel(bytes, upstreamModel);
  const open = bytes.indexOf('{') + 1;
  return Buffer.concat([bytes.subarray(0, open), Buffer.from(`"model":${JSON.stringify(upstreamModel)},`), bytes.subarray(open)]);
}

/** What an answer says of itself. OpenAI bills none; a compatible server that says what it used is believed. */
export function readModeration(bytes: Buffer, reading: Reading): AnswerReading | null {
  const read = readWholeAnswer(bytes, 'results', reading);
  if (read === null || read.facts.usage !== null) return read;
  return { ...read, facts: { ...read.facts, usageFlags: [] }, billing: 'free' };
}
