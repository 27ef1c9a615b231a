import type { ChatCompletionRequest } from '../../../../schema/http/chat-completions.ts';
import { jsonMembers, soleMember } from '../../body/json-members.ts';

const ASK_USAGE = '"stream_options":{"include_usage":true},';

/** A replacement of the bytes `[start, end)`. */
interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The body for the provider: the application's own bytes with `model` replaced, and for a stream `include_usage` asked for.
 * Every other byte stays: numbers keep their digits and unknown fields their place. A member given twice is replaced each
 * time, so that it does not matter which one the provider believes. Bytes that need no change are returned as they are.
 */
export function prepareChatBody(bytes: Buffer, request: ChatCompletionRequest, upstreamModel: string): Buffer {
  const modelText = JSON.stringify(upstreamModel);
  const simple = request.stream === true ? null : soleMember(bytes, 'model');
  if (simple !== null) {
    const { start, end } = simple;
    return bytes.toString('utf8', start, end) === modelText ? bytes : spliced(bytes, [{ start, end, text: modelText }]);
  }
  const members = jsonMembers(bytes) ?? [];
  const splices: Splice[] = [];
  let usageAsked = request.stream !== true;
  for (const { key, start, end } of members) {
    if (key === 'model') {
      if (bytes.toString('utf8', start, end) !== modelText) splices.push({ start, end, text: modelText });
    } else if (key === 'stream_options' && request.stream === true) {
      usageAsked = true;
      spliceUsageOption(bytes, start, end, splices);
    }
  }
  if (!usageAsked) {
    const open = bytes.indexOf('{') + 1;
    splices.push({ start: open, end: open, text: ASK_USAGE });
    splices.sort((left, right) => left.start - right.start);
  }
  return splices.length === 0 ? bytes : spliced(bytes, splices);
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

function spliced(bytes: Buffer, splices: readonly Splice[]): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (const { start, end, text } of splices) {
    parts.push(bytes.subarray(from, start), Buffer.from(text, 'utf8'));
    from = end;
  }
  parts.push(bytes.subarray(from));
  return Buffer.concat(parts);
}
