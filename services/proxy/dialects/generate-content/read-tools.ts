import type { Tool, ToolChoice } from '../../conversation/conversation.ts';
import type { RequestFields } from '../request-fields.ts';
import { isStrictSchema, jsonSchemaOf } from './json-schema.ts';

/** Tools of Google's own without which an answer is poorer but right. */
const DISPENSABLE: ReadonlySet<string> = new Set([
  'googleSearch',
  'googleSearchRetrieval',
  'enterpriseWebSearch',
  'parallelAiSearch',
  'exaAiSearch',
  'googleMaps',
]);
/** All that a tool may be besides functions. */
const HOSTED = ['codeExecution', 'retrieval', 'urlContext', 'fileSearch', 'computerUse', 'mcpServers'];

/** What may be called, and what is to be. What Google would run by itself is refused or told. */
export function readTools(body: RequestFields): { readonly tools: readonly Tool[]; readonly toolChoice: ToolChoice | null } {
  const tools = body.objects('tools').flatMap((tool) => {
    const declared = tool.objects('functionDeclarations').map(readFunction);
    for (const name of DISPENSABLE) if (tool.value(name) !== null) body.drop(`tools[].${name}`);
    for (const name of HOSTED) if (tool.value(name) !== null) throw hosted(tool, name);
    return declared;
  });
  const config = body.object('toolConfig');
  const calling = config?.object('functionCallingConfig') ?? null;
  return calling === null ? { tools, toolChoice: null } : readCalling(calling, tools);
}

function readFunction(declared: RequestFields): Tool {
  const schema = declared.wholeObject('parametersJsonSchema');
  const ofGoogle = declared.wholeObject('parameters');
  const parameters = schema ?? (ofGoogle === null ? null : jsonSchemaOf(ofGoogle));
  return { name: declared.neededText('name'), description: declared.text('description'), parameters, strict: null, cache: null };
}

function readCalling(
  calling: RequestFields,
  all: readonly Tool[],
): { readonly tools: readonly Tool[]; readonly toolChoice: ToolChoice | null } {
  const names = new Set(calling.list('allowedFunctionNames') ?? []);
  // Those that are not allowed are not there at all: that is the same to the model.
  const tools = names.size === 0 ? all : all.filter(({ name }) => names.has(name));
  const mode = calling.text('mode');
  const [only] = tools;
  switch (mode) {
    case null:
    case 'MODE_UNSPECIFIED':
      return { tools, toolChoice: null };
    case 'AUTO':
      return { tools, toolChoice: { kind: 'auto' } };
    case 'NONE':
      return { tools, toolChoice: { kind: 'none' } };
    case 'ANY':
      return { tools, toolChoice: names.size === 1 && only !== undefined ? { kind: 'tool', name: only.name } : { kind: 'required' } };
    case 'VALIDATED': {
      const isStrict = tools.every(({ parameters }) => isStrictSchema(parameters));
      if (!isStrict) calling.drop('mode');
      return { tools: isStrict ? tools.map((tool) => ({ ...tool, strict: true })) : tools, toolChoice: { kind: 'auto' } };
    }
    default:
      throw calling.invalid('mode', 'must be "AUTO", "ANY", "NONE" or "VALIDATED"');
  }
}

function hosted(tool: RequestFields, name: string): Error {
  return tool.invalid(name, 'is run by Google, and not possible with this model: use `functionDeclarations`');
}
