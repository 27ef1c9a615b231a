import type { Citation, FinishReason, TokenLogprob } from '../../conversation/answer-event.ts';
import type { AnswerStamp } from '../../conversation/dialect.ts';

/** A block of thinking as LiteLLM's clients know it, after Anthropic's: given back unchanged, its signature proves it to its provider. */
export type ThinkingBlock =
  | { readonly type: 'thinking'; thinking: string; signature: string | null }
  | { readonly type: 'redacted_thinking'; readonly data: string };

export function completionId({ requestId }: AnswerStamp): string {
  return `chatcmpl-${requestId.slice(requestId.indexOf('_') + 1)}`;
}

/** @param hasRefusal whether the model refused in words: then it came to its end, and those words say so. */
export function finishReason(reason: FinishReason, hasRefusal: boolean): string {
  if (reason === 'length' || reason === 'tool_calls') return reason;
  return reason === 'refused' && !hasRefusal ? 'content_filter' : 'stop';
}

/** What a text rests on; null where it has no address, without which OpenAI knows no source. Where no place is told it is the text up to there. */
export function annotation({ title, url, start, end }: Citation, textLength: number): object | null {
  if (url === null) return null;
  return {
    type: 'url_citation',
    url_citation: { start_index: start ?? 0, end_index: end ?? textLength, title: title ?? url, url },
  };
}

/** What a model drew, where OpenRouter's and LiteLLM's clients look for it. @param index among those of its message. */
export function imagePart({ mediaType, data }: { readonly mediaType: string; readonly data: string }, index: number): object {
  return { type: 'image_url', image_url: { url: `data:${mediaType};base64,${data}` }, index };
}

export function tokenLogprobs(tokens: readonly TokenLogprob[]): object[] {
  return tokens.map(({ token, logprob, bytes, alternatives }) => ({ token, logprob, bytes, top_logprobs: alternatives }));
}

/** Where Google's own chat endpoint has the proof that a call was thought about. */
export function callExtra(signature: string): object {
  return { google: { thought_signature: signature } };
}
