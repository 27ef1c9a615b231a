import type { EmbeddingsRequest } from '../../../../schema/http/embeddings.ts';
import type { JsonMember } from '../../body/json-members.ts';
import { jsonMembers } from '../../body/json-members.ts';
import type { SentBody } from '../../body/sent-body.ts';
import { joined } from '../../body/sent-body.ts';
import type { Splice } from '../../body/splice.ts';
import { spliced } from '../../body/splice.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import { withModel } from '../openai/model-in-body.ts';
import { prepareChatBody } from '../openai/request.ts';
import type { Asked, AskedChat } from '../provider.ts';

/** What Mistral has under another name, or not at all. */
interface OwnWords {
  readonly names: ReadonlyMap<string, string>;
  readonly unknown: ReadonlySet<string>;
}
const CHAT: OwnWords = {
  names: new Map([
    ['max_completion_tokens', 'max_tokens'],
    ['seed', 'random_seed'],
  ]),
  // It reports usage in every stream, unasked, and refuses to be asked.
  unknown: new Set(['stream_options']),
};
/** Members of a request for embeddings that are lost on it. */
export const LOST_ON_EMBEDDINGS = ['user'] as const;
const EMBEDDINGS: OwnWords = {
  names: new Map([['dimensions', 'output_dimension']]),
  // Vectors come as numbers, and are packed here.
  unknown: new Set(['encoding_format', ...LOST_ON_EMBEDDINGS]),
};

/** The body as Mistral takes it, which refuses every member that it does not know (422). */
export function prepareMistralChat(
  { bytes, request, outputTokens }: AskedChat,
  { upstreamModel }: Pick<CompiledModel, 'upstreamModel'>,
): SentBody {
  const outputLimit = outputTokens === null ? null : { field: 'max_tokens' as const, tokens: outputTokens };
  return prepareChatBody(withOwnWords(bytes, CHAT), request, { model: upstreamModel, outputLimit, asksUsage: false });
}

/** The same of embeddings. */
export function prepareMistralEmbeddings(
  { bytes }: Asked<EmbeddingsRequest>,
  { upstreamModel }: Pick<CompiledModel, 'upstreamModel'>,
): SentBody {
  return withModel(withOwnWords(bytes, EMBEDDINGS), upstreamModel);
}

/**
 * The application's bytes with what Mistral does not know under its own name or, where it is done anyway, left out.
 * Where both names are given the other one's value counts, unless it is null.
 */
function withOwnWords(bytes: Buffer, { names, unknown }: OwnWords): Buffer {
  const members = jsonMembers(bytes) ?? [];
  const isNull = ({ start, end }: JsonMember): boolean => bytes.toString('latin1', start, end) === 'null';
  const renamed = new Set<string>();
  for (const member of members) {
    const own = names.get(member.key);
    if (own !== undefined && !isNull(member)) renamed.add(own);
  }
  const isLeftOut = (member: JsonMember): boolean =>
    unknown.has(member.key) || renamed.has(member.key) || (names.has(member.key) && isNull(member));

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
    const own = names.get(member.key);
    if (own !== undefined) splices.push({ start: member.keyStart, end: member.start, text: `${JSON.stringify(own)}:` });
  });
  return joined(spliced(bytes, splices));
}
