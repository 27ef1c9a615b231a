import type { ChatCompletionRequest } from '../../../../schema/http/chat-completions.ts';
import type { CompletionRequest } from '../../../../schema/http/completions.ts';
import type { OutputLimitField } from '../../../../schema/values/output-cap.ts';
import { jsonMembers, soleMember } from '../../body/json-members.ts';
import type { SentBody } from '../../body/sent-body.ts';
import type { Splice } from '../../body/splice.ts';
import { spliced } from '../../body/splice.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import type { Asked, AskedChat } from '../provider.ts';
import { outputLimitField } from './output-limit-field.ts';

const ASK_USAGE = '"stream_options":{"include_usage":true},';

/** The body as OpenAI and most of those that are compatible take it. */
export function prepareChat({ bytes, request, outputTokens }: AskedChat, { upstreamModel, provider }: CompiledModel): SentBody {
  const outputLimit = outputTokens === null ? null : { field: outputLimitField(provider), tokens: outputTokens };
  return prepareChatBody(bytes, request, { model: upstreamModel, outputLimit, asksUsage: true });
}

/** The body of a completion, whose limit has had one name for ever. */
export function prepareCompletion({ bytes, request, outputTokens }: Asked<CompletionRequest>, { upstreamModel }: CompiledModel): SentBody {
  const outputLimit = outputTokens === null ? null : { field: 'max_tokens' as const, tokens: outputTokens };
  return prepareChatBody(bytes, request, { model: upstreamModel, outputLimit, asksUsage: true });
}

/** What of a request is looked at to change it. */
type ChangedRequest = Pick<ChatCompletionRequest, 'stream' | OutputLimitField>;

/** What of a request is not as its application wrote it. */
export interface ChatChanges {
  readonly model: string;
  /** Of each choice, for a request that sets none itself; null: none. */
  readonly outputLimit: { readonly field: OutputLimitField; readonly tokens: number } | null;
  /** Whether a stream is asked for its usage. */
  readonly asksUsage: boolean;
}

/**
 * The body for the provider: the application's own bytes with `model` replaced, for a stream `include_usage` asked for, and where one is given the limit
 * of the answer. Every other byte stays: numbers keep their digits and unknown fields their place. A member given twice is replaced each
 * time, so that it does not matter which one the provider believes. Bytes that need no change are returned as they are.
 */
export function prepareChatBody(bytes: Buffer, request: ChangedRequest, changes: ChatChanges): SentBody {
  const { model, outputLimit } = changes;
  const modelText = JSON.stringify(model);
  const asksUsage = changes.asksUsage && request.stream === true;
  const limitField = outputLimit?.field ?? null;
  // One that is there without a value is replaced, since of two nobody knows which one counts.
  const isLimitThere = limitField !== null && request[limitField] !== undefined;
  const splices: Splice[] = [];
  const replace = ({ start, end }: Pick<Splice, 'start' | 'end'>, text: string): void => {
    if (bytes.toString('utf8', start, end) !== text) splices.push({ start, end, text });
  };
  let usageAsked = !asksUsage;
  const simple = usageAsked && !isLimitThere ? soleMember(bytes, 'model') : null;
  if (simple !== null) replace(simple, modelText);
  for (const member of simple === null ? (jsonMembers(bytes) ?? []) : []) {
    const { key, start, end } = member;
    if (key === 'model') replace(member, modelText);
    else if (key === limitField) replace(member, String(outputLimit?.tokens));
    else if (key === 'stream_options' && asksUsage) {
      usageAsked = true;
      spliceUsageOption(bytes, start, end, splices);
    }
  }
  const limit = outputLimit === null || isLimitThere ? '' : `"${outputLimit.field}":${outputLimit.tokens},`;
  const added = (usageAsked ? '' : ASK_USAGE) + limit;
  if (added !== '') {
    const open = bytes.indexOf('{') + 1;
    splices.unshift({ start: open, end: open, text: added });
  }
  return spliced(bytes, splices);
}

function spliceUsageOption(bytes: Buffer, start: number, end: number, splices: Splice[]): void {
  const options = jsonMembers(bytes, start);
  if (options === null) {
    splices.push({ start, end, text: '{"include_usage":true}' });
    return;
  }
  const asked = options.filter((option) => option.key === 'include_usage');
  for (const option of asked) {
    if (bytes.toString('latin1', option.start, option.end) !== 'true') {
      splices.push({ start: option.start, end: option.end, text: 'true' });
    }
  }
  if (asked.length === 0) {
    const text = options.length === 0 ? '"include_usage":true' : '"include_usage":true,';
    splices.push({ start: start + 1, end: start + 1, text });
  }
}
