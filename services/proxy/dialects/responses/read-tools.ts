import { GatewayError } from '../../../../schema/errors.ts';
import type { Tool, ToolChoice } from '../../conversation/conversation.ts';
import type { RequestFields } from '../request-fields.ts';

/** Tools that a provider runs by itself, without which an answer is poorer but right. */
const DISPENSABLE: ReadonlySet<string> = new Set([
  'web_search',
  'web_search_2025_08_26',
  'web_search_preview',
  'web_search_preview_2025_03_11',
]);

/** The functions of a request, and which of them may or must be called. What a provider of this API would run by itself is refused or told. */
export function readTools(body: RequestFields): { readonly tools: readonly Tool[]; readonly toolChoice: ToolChoice | null } {
  const tools: Tool[] = [];
  for (const tool of body.objects('tools')) {
    const type = tool.neededText('type');
    if (type === 'function') tools.push(readFunction(tool));
    else if (DISPENSABLE.has(type)) tool.dropWhole(type);
    else throw hosted(tool.placeOf('type'), type);
  }
  const choice = body.value('tool_choice');
  if (choice === null) return { tools, toolChoice: null };
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { tools, toolChoice: { kind: choice } };
  const chosen = body.neededObject('tool_choice');
  const type = chosen.neededText('type');
  if (type === 'function') return { tools, toolChoice: { kind: 'tool', name: chosen.neededText('name') } };
  if (type !== 'allowed_tools') throw hosted(chosen.placeOf('type'), type);
  const mode = chosen.neededText('mode');
  if (mode !== 'auto' && mode !== 'required') throw chosen.invalid('mode', 'must be `auto` or `required`');
  const allowed = new Set(chosen.objects('tools').map(allowedName));
  return { tools: tools.filter(({ name }) => allowed.has(name)), toolChoice: { kind: mode } };
}

function allowedName(tool: RequestFields): string | null {
  tool.passOver('type');
  return tool.text('name');
}

function readFunction(tool: RequestFields): Tool {
  const parameters = tool.value('parameters');
  return {
    name: tool.neededText('name'),
    description: tool.text('description'),
    parameters,
    strict: tool.flag('strict'),
    cache: null,
  };
}

function hosted(param: string, type: string): GatewayError {
  return new GatewayError('invalid_request', {
    param,
    message: `Tools of type '${type}' are not possible with this model, whose provider does not speak the Responses API. Use tools of type 'function'.`,
  });
}
