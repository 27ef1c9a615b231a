import { jsonMembers, soleMember } from '../../body/json-members.ts';
import type { SentBody } from '../../body/sent-body.ts';
import type { Splice } from '../../body/splice.ts';
import { spliced } from '../../body/splice.ts';

/** The body with another `model`, wherever it says one; every other byte stays. The bytes themselves where it says that one already. */
export function withModel(bytes: Buffer, model: string): SentBody {
  return spliced(bytes, modelSplices(bytes, model));
}

/** What changes for that. */
export function modelSplices(bytes: Buffer, model: string): Splice[] {
  const text = JSON.stringify(model);
  const sole = soleMember(bytes, 'model');
  const named = sole === null ? (jsonMembers(bytes) ?? []).filter(({ key }) => key === 'model') : [sole];
  const changed = named.filter(({ start, end }) => bytes.toString('utf8', start, end) !== text);
  return changed.map(({ start, end }) => ({ start, end, text }));
}
