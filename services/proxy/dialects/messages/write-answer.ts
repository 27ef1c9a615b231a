import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import type { AnswerEvent, FinishReason } from '../../conversation/answer-event.ts';
import type { AnswerStamp, NotCarried } from '../../conversation/dialect.ts';
import { inputObject } from '../input-object.ts';
import { messageId, writeCitation, writeEnding, writeUsage } from './answer-words.ts';

interface TextBlock {
  readonly type: 'text';
  text: string;
  citations: object[] | null;
}
interface ThinkingBlock {
  readonly type: 'thinking';
  thinking: string;
  signature: string;
}
interface ToolUseBlock {
  readonly type: 'tool_use';
  readonly id: string;
  readonly name: string;
  /** JSON. */
  input: string;
}
type Block = TextBlock | ThinkingBlock | ToolUseBlock | { readonly type: 'redacted_thinking'; readonly data: string };

/** A whole answer as a message. Of several choices the first: a message has no others. */
export function writeAnswer(events: readonly AnswerEvent[], stamp: AnswerStamp, _request: unknown, notCarried: NotCarried): string {
  const blocks: Block[] = [];
  const calls = new Map<number, ToolUseBlock>();
  let usage: TokenUsage | null = null;
  let tier: string | null = null;
  let reason: FinishReason | null = null;
  let stopSequence: string | null = null;
  let refusal: string | null = null;
  const text = (): TextBlock => {
    const last = blocks.at(-1);
    if (last?.type === 'text') return last;
    const block: TextBlock = { type: 'text', text: '', citations: null };
    blocks.push(block);
    return block;
  };
  const thinking = (): ThinkingBlock => {
    const last = blocks.at(-1);
    // A signature ends what it signs.
    if (last?.type === 'thinking' && last.signature === '') return last;
    const block: ThinkingBlock = { type: 'thinking', thinking: '', signature: '' };
    blocks.push(block);
    return block;
  };

  for (const event of events) {
    if ('choice' in event && event.choice !== 0) continue;
    switch (event.kind) {
      case 'text':
        text().text += event.text;
        break;
      case 'refusal':
        refusal = (refusal ?? '') + event.text;
        text().text += event.text;
        break;
      case 'thinking':
        thinking().thinking += event.text;
        break;
      case 'thinking_signature':
        thinking().signature = event.signature;
        break;
      case 'redacted_thinking':
        blocks.push({ type: 'redacted_thinking', data: event.data });
        break;
      case 'tool_call': {
        // What proves the call stands with the thinking before it, as Anthropic has it.
        if (event.signature !== null) thinking().signature = event.signature;
        const block: ToolUseBlock = { type: 'tool_use', id: event.callId, name: event.name, input: '' };
        calls.set(event.call, block);
        blocks.push(block);
        break;
      }
      case 'tool_input': {
        const block = calls.get(event.call);
        if (block !== undefined) block.input += event.json;
        break;
      }
      case 'citation': {
        const citation = writeCitation(event.citation);
        const cited = blocks.findLast((block) => block.type === 'text');
        if (citation !== null && cited !== undefined) cited.citations = [...(cited.citations ?? []), citation];
        else notCarried('citations');
        break;
      }
      case 'image':
        notCarried('images');
        break;
      case 'finished':
        ({ reason, stopSequence } = event);
        break;
      case 'usage':
        ({ usage } = event);
        break;
      case 'service_tier':
        ({ tier } = event);
        break;
    }
  }
  const head = JSON.stringify({ id: messageId(stamp), type: 'message', role: 'assistant', model: stamp.model });
  const rest = JSON.stringify({ ...writeEnding(reason, stopSequence, refusal), usage: writeUsage(usage, tier) });
  return `${head.slice(0, -1)},"content":[${blocks.map(writeBlock).join(',')}],${rest.slice(1)}`;
}

function writeBlock(block: Block): string {
  if (block.type !== 'tool_use') return JSON.stringify(block);
  const { input, ...named } = block;
  return `${JSON.stringify(named).slice(0, -1)},"input":${inputObject(input)}}`;
}
