import type { EmbeddingsRequest } from '../../../../schema/http/embeddings.ts';
import type { JsonMember } from '../../body/json-members.ts';
import { jsonMembers } from '../../body/json-members.ts';
import type { Splice } from '../../body/splice.ts';
import { spliced } from '../../body/splice.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import { withModel } from '../openai/model-in-body.ts';
import { prepareChatBody } from '../openai/request.ts';
import type { Asked, AskedChat } from '../provider.ts';

/** What Mistral has under another name. */
type OwnNames = ReadonlyMap<string, string>;
const CHAT_NAMES: OwnNames = new Map([
  ['max_completion_tokens', 'max_tokens'],
  ['seed', 'random_seed'],
]);
/** It reports usage in every stream, unasked, and refuses to be asked. */
const UNKNOWN = 'stream_options';
const EMBEDDINGS_NAMES: OwnNames = new Map([['dimensions', 'output_dimension']]);

/** The body as Mistral takes it, which refuses every member that it does not know (422). */
export function prepareMistralChat(
  { bytes, request, outputTokens }: AskedChat,
  { upstreamModel }: Pick<CompiledModel, 'upstreamModel'>,
): Buffer {
  const outputLimit = outputTokens === null ? null : { field: 'max_tokens' as const, tokens: outputTokens };
  return prepareChatBody(withOwnNames(bytes, CHAT_NAMES), request, { model: upstreamModel, outputLimit, asksUsage: false });
}

/** The same of embeddings. */
export function prepareMistralEmbeddings(
  { bytes }: Asked<EmbeddingsRequest>,
  { upstreamModel }: Pick<CompiledModel, 'upstreamModel'>,
): Buffer {
  return withModel(withOwnNames(bytes, EMBEDDINGS_NAMES), upstreamModel);
}

/**
 * The application's bytes with what Mistral does not know under its own name or, where it is done anyway, left out.
 * Where both names are given the other one's value counts, unless it is null.
 */
function withOwnNames(bytes: Buffer, ownNames: OwnNames): Buffer {
  const members = jsonMembers(bytes) ?? [];
  const isNull = ({ start, end }: JsonMember): boolean => bytes.toString('latin1', start, end) === 'null';
  const renamed = new Set<string>();
  for (const member of members) {
    const own = ownNames.get(member.key);
    if (own !== undefined && !isNull(member)) renamed.add(own);
  }
  const isLeftOut = (member: JsonMember): boolean =>
    member.key === UNKNOWN || renamed.has(member.key) || (ownNames.has(member.key) && isNull(member));

  const splices: Splice[] = [];
  let keptBefore = false;
  members.forEach((member, index) => {
    if (isLeftOut(member)) {
      // With the comma before it, or the one behind it where nothing is kept before it.
      const before = keptBefore ? members[index - 1]?.end : undefined;
      const behind = members[index + 1]?.keyStart ?? member.end;
      splices.push(before === undefined ? { start: member.keyStart, end: behind, text: '' } : { start: before, end: member.end, text: '' });
      return;
    }
    keptBefore = true;
    const own = ownNames.get(member.key);
    if (own !== undefined) splices.push({ start: member.keyStart, end: member.start, text: `${JSON.stringify(own)}:` });
  });
  return spliced(bytes, splices);
}
