import type {
  AssistantPart,
  CacheMark,
  DocumentPart,
  ImagePart,
  Source,
  TextPart,
  ToolResultPart,
  UserPart,
} from '../../conversation/conversation.ts';
import type { RequestFields } from '../request-fields.ts';

/** What tools on Anthropic's own side left in a conversation; nobody else understands it. */
const SERVER_SIDE = /^(?:server_tool_use|mcp_tool_use|container_upload|compaction|.+_tool_result)$/;

/** A text, or a list of blocks of which each is read; `null` are those that are not carried. */
export function readContent<Part>(
  owner: RequestFields,
  name: string,
  readBlock: (block: RequestFields, type: string) => Part | null,
): (Part | TextPart)[] {
  const content = owner.value(name);
  if (content === null || content === '') return [];
  if (typeof content === 'string') return [{ kind: 'text', text: content, cache: null }];
  if (!Array.isArray(content)) throw owner.invalid(name, 'must be a string or an array of content blocks');
  return owner.objects(name).flatMap((block) => {
    const type = block.neededText('type');
    if (SERVER_SIDE.test(type)) {
      block.dropWhole(type);
      return [];
    }
    const part = readBlock(block, type);
    return part === null ? [] : [part];
  });
}

export function readTextBlock(block: RequestFields, type: string): TextPart {
  if (type !== 'text') throw notUnderstood(block, type);
  return { kind: 'text', text: block.neededText('text'), cache: readCacheMark(block) };
}

export function readUserBlock(block: RequestFields, type: string): UserPart {
  if (type !== 'tool_result') return readSaidBlock(block, type);
  const result: ToolResultPart = {
    kind: 'tool_result',
    callId: block.neededText('tool_use_id'),
    toolName: null,
    parts: readContent(block, 'content', readSaidBlock),
    isError: block.flag('is_error') === true,
    cache: readCacheMark(block),
  };
  return result;
}

/** @throws {GatewayError} for a block that is no assistant's. */
export function readAssistantBlock(block: RequestFields, type: string): AssistantPart {
  switch (type) {
    case 'thinking': {
      // As this gateway writes thinking that nobody signed.
      const signature = block.text('signature');
      return { kind: 'thinking', text: block.neededText('thinking'), signature: signature === '' ? null : signature };
    }
    case 'redacted_thinking':
      return { kind: 'redacted_thinking', data: block.neededText('data') };
    case 'tool_use': {
      const callId = block.neededText('id');
      const input = JSON.stringify(block.value('input') ?? {});
      // Whether the model called it, or code that it wrote.
      block.passOver('caller');
      return { kind: 'tool_call', callId, name: block.neededText('name'), input, signature: null, cache: readCacheMark(block) };
    }
    default: {
      const text = readTextBlock(block, type);
      // They are about an answer that was given, and say nothing to a model.
      block.passOver('citations');
      return text;
    }
  }
}

export function readCacheMark(owner: RequestFields): CacheMark | null {
  const control = owner.object('cache_control');
  if (control === null) return null;
  // There is but one.
  control.passOver('type');
  const ttl = control.text('ttl');
  if (ttl === null || ttl === '5m' || ttl === '1h') return { ttl };
  throw control.invalid('ttl', 'must be "5m" or "1h"');
}

/** What a user says, or a tool. */
function readSaidBlock(block: RequestFields, type: string): TextPart | ImagePart | DocumentPart {
  const cache = readCacheMark(block);
  switch (type) {
    case 'image':
      return { kind: 'image', source: readSource(block.neededObject('source')), detail: null, cache };
    case 'document':
      return { kind: 'document', source: readDocumentSource(block), title: block.text('title'), cache };
    case 'search_result': {
      const text = textOfBlocks(block);
      return { kind: 'document', source: { kind: 'text', text }, title: block.text('title'), cache };
    }
    default:
      return readTextBlock(block, type);
  }
}

function readDocumentSource(document: RequestFields): DocumentPart['source'] {
  const source = document.neededObject('source');
  const type = source.neededText('type');
  if (type === 'text') {
    source.passOver('media_type');
    return { kind: 'text', text: source.neededText('data') };
  }
  if (type === 'content') return { kind: 'text', text: textOfBlocks(source) };
  return readSource(source);
}

function readSource(source: RequestFields): Source {
  const type = source.neededText('type');
  if (type === 'base64') return { kind: 'base64', mediaType: source.neededText('media_type'), data: source.neededText('data') };
  if (type === 'url') return { kind: 'url', url: source.neededText('url'), mediaType: null };
  if (type === 'file') return { kind: 'file', id: source.neededText('file_id') };
  throw source.invalid('type', `"${type}" is not supported`);
}

function textOfBlocks(owner: RequestFields): string {
  return readContent(owner, 'content', readTextBlock)
    .map(({ text }) => text)
    .join('\n');
}

function notUnderstood(block: RequestFields, type: string): Error {
  return block.invalid('type', `"${type}" is not supported here`);
}
