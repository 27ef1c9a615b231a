import type { Tool, ToolChoice } from '../../conversation/conversation.ts';
import type { RequestFields } from '../request-fields.ts';
import { readCacheMark } from './read-blocks.ts';

/** The application's own tools. Those of Anthropic's side, and those whose form only its models know, are not carried. */
export function readTools(body: RequestFields): Tool[] {
  return body.objects('tools').flatMap((tool) => {
    const type = tool.text('type');
    if (type !== null && type !== 'custom') {
      tool.dropWhole(type);
      return [];
    }
    const read: Tool = {
      name: tool.neededText('name'),
      description: tool.text('description'),
      parameters: tool.wholeObject('input_schema'),
      strict: tool.flag('strict'),
      cache: readCacheMark(tool),
    };
    return [read];
  });
}

/** What is to be called, and whether several at once may be. */
export function readToolChoice(body: RequestFields): {
  readonly toolChoice: ToolChoice | null;
  readonly parallelToolCalls: boolean | null;
} {
  const choice = body.object('tool_choice');
  if (choice === null) return { toolChoice: null, parallelToolCalls: null };
  const single = choice.flag('disable_parallel_tool_use');
  return { toolChoice: choiceOf(choice, choice.neededText('type')), parallelToolCalls: single === null ? null : !single };
}

function choiceOf(choice: RequestFields, type: string): ToolChoice {
  if (type === 'auto' || type === 'none') return { kind: type };
  if (type === 'any') return { kind: 'required' };
  if (type === 'tool') return { kind: 'tool', name: choice.neededText('name') };
  throw choice.invalid('type', 'must be "auto", "any", "tool" or "none"');
}
