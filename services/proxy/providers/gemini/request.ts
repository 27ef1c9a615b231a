import type { Conversation, Tool } from '../../conversation/conversation.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import { writeTurns } from './contents.ts';
import { geminiModel } from './gemini-model.ts';
import { generationConfig } from './generation-config.ts';

/**
 * The body of a call to `generateContent` or `streamGenerateContent`. `members` are further ones of it, JSON; whoever serves Gemini elsewhere than the
 * Gemini API has none or others. What Google has no place for is told to `notCarried`. @throws {GatewayError} as {@link writeTurns}.
 */
export function writeGenerateContent(
  conversation: Conversation,
  upstreamModel: string,
  members: readonly string[],
  notCarried: NotCarried,
): string {
  const model = geminiModel(upstreamModel);
  const { instructions, contents } = writeTurns(conversation.turns, model, notCarried);
  const written = [`"contents":${contents}`];
  if (instructions !== null) written.push(`"systemInstruction":{"parts":${instructions}}`);
  if (conversation.tools.length > 0) {
    const declarations = conversation.tools.map((tool) => writeTool(tool, notCarried));
    written.push(`"tools":[{"functionDeclarations":[${declarations.join(',')}]}]`);
  }
  const calling = callingConfig(conversation, notCarried);
  if (calling !== null) written.push(`"toolConfig":{"functionCallingConfig":${calling}}`);
  const generation = JSON.stringify(generationConfig(conversation, model, notCarried));
  if (generation !== '{}') written.push(`"generationConfig":${generation}`);
  if (conversation.endUser !== null) notCarried('user');
  return `{${[...written, ...members].join(',')}}`;
}

/** The model as a path names it: `claude-3-7-sonnet@20250219` keeps its sign, as in Google's documentation. */
export function modelPath(upstreamModel: string): string {
  return upstreamModel
    .split('/')
    .map((part) => encodeURIComponent(part).replaceAll('%40', '@'))
    .join('/');
}

function writeTool({ name, description, parameters, cache }: Tool, notCarried: NotCarried): string {
  if (cache !== null) notCarried('cache_control');
  return JSON.stringify({ name, description: description ?? '', parametersJsonSchema: parameters ?? undefined });
}

/** `VALIDATED` holds a call to its schema and leaves open whether there is one; `ANY` does so too, and wants one. */
function callingConfig({ tools, toolChoice, parallelToolCalls }: Conversation, notCarried: NotCarried): string | null {
  if (tools.length === 0) {
    if (toolChoice?.kind === 'required' || toolChoice?.kind === 'tool') notCarried('tool_choice');
    return null;
  }
  if (parallelToolCalls === false) notCarried('parallel_tool_calls');
  if (toolChoice?.kind === 'none') return '{"mode":"NONE"}';
  if (toolChoice?.kind === 'required') return '{"mode":"ANY"}';
  if (toolChoice?.kind === 'tool') return `{"mode":"ANY","allowedFunctionNames":[${JSON.stringify(toolChoice.name)}]}`;
  if (tools.some(({ strict }) => strict === true)) return '{"mode":"VALIDATED"}';
  return toolChoice === null ? null : '{"mode":"AUTO"}';
}
