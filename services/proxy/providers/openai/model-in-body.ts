import { jsonMembers, soleMember } from '../../body/json-members.ts';
import type { Splice } from '../../body/splice.ts';
import { spliced } from '../../body/splice.ts';

/** The body with another `model`, wherever it says one; every other byte stays. The bytes themselves where it says that one already. */
export function withModel(bytes: Buffer, model: string): Buffer {
  const text = JSON.stringify(model);
  const sole = soleMember(bytes, 'model');
  const named = sole === null ? (jsonMembers(bytes) ?? []).filter(({ key }) => key === 'model') : [sole];
  const splices: Splice[] = [];
  for (const { start, end } of named) if (bytes.toString('utf8', start, end) !== text) splices.push({ start, end, text });
  return spliced(bytes, splices);
}
