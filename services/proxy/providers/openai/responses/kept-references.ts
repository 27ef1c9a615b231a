import type { ResponsesRequest } from '../../../../../schema/http/responses.ts';
import type { Fields } from '../../../body/json-fields.ts';
import { isFields } from '../../../body/json-fields.ts';
import { fieldsIn, keptRefusal } from '../../kept-files.ts';

/** Members of a request that name what a provider keeps. */
const OF_REQUEST = ['previous_response_id', 'conversation', 'prompt'] as const;

/**
 * Where a request refers to something that its provider keeps in the account it is called with: an earlier response, a conversation, a prompt, an item, a
 * file, a vector store, a container. Null: nowhere.
 */
export function keptReference(request: Fields): string | null {
  const ofRequest = OF_REQUEST.find((name) => isNamed(request[name]));
  if (ofRequest !== undefined) return ofRequest;
  const input = fieldsIn(request.input);
  const item = input.findIndex((each) => each.type === 'item_reference' || hasFile(each));
  if (item >= 0) return `input[${item}]`;
  const tool = fieldsIn(request.tools).findIndex(isKeptTool);
  return tool < 0 ? null : `tools[${tool}]`;
}

/**
 * For an account that several organizations share. @throws {GatewayError} {@link keptRefusal} for a request that refers to what is kept there.
 */
export function refuseKeptReference(request: ResponsesRequest): void {
  const param = keptReference(request);
  if (param !== null) throw keptRefusal(param);
}

/** A file stands in a part of a message, or of what a tool gave. */
function hasFile({ content, output }: Fields): boolean {
  return [...fieldsIn(content), ...fieldsIn(output)].some(({ file_id: fileId }) => isNamed(fileId));
}

function isKeptTool({ vector_store_ids: stores, container, input_image_mask: mask }: Fields): boolean {
  if (Array.isArray(stores) && stores.length > 0) return true;
  if (isFields(mask) && isNamed(mask.file_id)) return true;
  if (isFields(container)) return Array.isArray(container.file_ids) && container.file_ids.length > 0;
  return isNamed(container);
}

function isNamed(reference: unknown): boolean {
  return reference !== undefined && reference !== null;
}
