import { GatewayError } from '../../../schema/errors.ts';
import type { Fields } from '../body/json-fields.ts';
import { isFields } from '../body/json-fields.ts';
import type { Conversation } from '../conversation/conversation.ts';

/**
 * That a request names what is kept in an account which several organizations share: whoever knows the id of another one's would read it.
 * @param param where it does.
 */
export function keptRefusal(param: string): GatewayError {
  return new GatewayError('invalid_request', {
    param,
    message: `'${param}' refers to what a provider keeps, and several organizations share the account behind this model: send the content itself, or give the provider a credential of yours.`,
  });
}

/** @param messages as OpenAI's chat completions have them, or Anthropic's. @throws {GatewayError} {@link keptRefusal} where one of them names a file. */
export function refuseKeptFiles(messages: unknown): void {
  const named = fieldsIn(messages).findIndex(({ content }) => fieldsIn(content).some(hasFile));
  if (named >= 0) throw keptRefusal(`messages[${named}]`);
}

/** The same of a request that is translated. */
export function refuseFilesIn({ turns }: Conversation): void {
  for (const { parts } of turns) {
    for (const part of parts) {
      const shown = part.kind === 'tool_result' ? part.parts : [part];
      if (shown.some((each) => 'source' in each && each.source.kind === 'file')) throw keptRefusal('messages');
    }
  }
}

/** OpenAI has it in `file`, Anthropic in `source`, or in the block for its containers; the result of a tool holds blocks of its own. */
function hasFile(part: Fields): boolean {
  const holders = [part, part.file, part.source].filter(isFields);
  return holders.some(({ file_id: id }) => typeof id === 'string') || fieldsIn(part.content).some(hasFile);
}

/** The objects of a list; none where it is no list. */
export function fieldsIn(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}
