import { GatewayError } from '../../../../../schema/errors.ts';
import type { ResponsesRequest } from '../../../../../schema/http/responses.ts';
import type { Fields } from '../../../body/json-fields.ts';
import { isFields } from '../../../body/json-fields.ts';

/** Members of a request that name what a provider keeps. */
const OF_REQUEST = ['previous_response_id', 'conversation', 'prompt'] as const;

/**
 * Where a request refers to something that its provider keeps in the account it is called with: an earlier response, a conversation, a prompt, an item, a
 * file, a vector store, a container. Null: nowhere.
 */
export function keptReference(request: ResponsesRequest): string | null {
  const ofRequest = OF_REQUEST.find((name) => isNamed(request[name]));
  if (ofRequest !== undefined) return ofRequest;
  const input = fieldsIn(request.input);
  const item = input.findIndex((each) => each.type === 'item_reference' || hasFile(each));
  if (item >= 0) return `input[${item}]`;
  const tool = fieldsIn(request.tools).findIndex(isKeptTool);
  return tool < 0 ? null : `tools[${tool}]`;
}

/**
 * Refuses a request that refers to what is kept in an account which several organizations share: whoever knows the id of another one's would read it.
 * @throws {GatewayError} `invalid_request`
 */
export function refuseKeptReference(request: ResponsesRequest): void {
  const param = keptReference(request);
  if (param === null) return;
  throw new GatewayError('invalid_request', {
    param,
    message: `'${param}' refers to what a provider keeps, and several organizations share the account behind this model: send the content itself, with 'store: false', or give the provider a credential of yours.`,
  });
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

function fieldsIn(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}
