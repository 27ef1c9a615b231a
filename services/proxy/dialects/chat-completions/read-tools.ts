import type { Tool, ToolChoice } from '../../conversation/conversation.ts';
import type { RequestFields } from '../request-fields.ts';
import { readCacheMark } from './read-parts.ts';

/** What may be called, and what is to be. */
export interface ToolWishes {
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | null;
}

/** `tools` and `tool_choice`, or what they were called before. Tools that are no functions are OpenAI's own, and not carried. */
export function readTools(body: RequestFields): ToolWishes {
  const tools = body.objects('functions').map((declared) => readFunction(declared, declared));
  for (const tool of body.objects('tools')) {
    const type = tool.neededText('type');
    if (type === 'function') tools.push(readFunction(tool, tool.neededObject('function')));
    else tool.dropWhole(type);
  }
  const formerChoice = body.value('function_call') === null ? null : 'function_call';
  const choice = body.value('tool_choice') === null ? formerChoice : 'tool_choice';
  return choice === null ? { tools, toolChoice: null } : readChoice(body, choice, tools);
}

/** @param owner of the mark, which LiteLLM's clients write beside the function or into it. */
function readFunction(owner: RequestFields, declared: RequestFields): Tool {
  return {
    name: declared.neededText('name'),
    description: declared.text('description'),
    parameters: declared.wholeObject('parameters'),
    strict: declared.flag('strict'),
    cache: readCacheMark(owner) ?? readCacheMark(declared),
  };
}

function readChoice(body: RequestFields, member: string, tools: readonly Tool[]): ToolWishes {
  const word = body.value(member);
  if (typeof word === 'string') return { tools, toolChoice: { kind: wordOf(word, body, member) } };
  const choice = body.neededObject(member);
  const type = member === 'function_call' ? null : choice.neededText('type');
  if (type === null) return { tools, toolChoice: { kind: 'tool', name: choice.neededText('name') } };
  if (type === 'function') return { tools, toolChoice: { kind: 'tool', name: choice.neededObject('function').neededText('name') } };
  if (type === 'allowed_tools') {
    // Those that are not allowed are not there at all: that is the same to the model.
    const allowed = choice.neededObject('allowed_tools');
    const names = new Set(allowed.objects('tools').map(allowedName));
    return {
      tools: tools.filter(({ name }) => names.has(name)),
      toolChoice: { kind: wordOf(allowed.neededText('mode'), allowed, 'mode') },
    };
  }
  choice.dropWhole(type);
  return { tools, toolChoice: null };
}

function allowedName(tool: RequestFields): string | null {
  tool.passOver('type');
  return tool.object('function')?.text('name') ?? tool.text('name');
}

function wordOf(word: string, owner: RequestFields, name: string): 'auto' | 'none' | 'required' {
  if (word === 'auto' || word === 'none' || word === 'required') return word;
  // Mistral's word.
  if (word === 'any') return 'required';
  throw owner.invalid(name, 'must be "auto", "none" or "required", or name a tool');
}
