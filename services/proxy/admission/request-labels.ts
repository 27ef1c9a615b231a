import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '../../../schema/errors.ts';
import { isStorable, MAX_TAGS } from '../../../schema/events/request-settled-fit.ts';

/** What an application says about a request in headers: for reports (tags) and about persons (metadata, end user). */
export interface RequestLabels {
  /** The key's tags with the request's own added. */
  readonly tags: Readonly<Record<string, string>>;
  /** Personal data: goes beside the event, never into it. */
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly endUser: string | null;
  /** `x-stainless-retry-count` of the official SDKs: how many times they sent this before. */
  readonly sdkRetryCount: number | null;
}

const TAG_HEADERS = ['x-turnpike-tags', 'x-litellm-tags'] as const;
const METADATA_HEADERS = ['x-turnpike-metadata', 'x-litellm-spend-logs-metadata'] as const;
const END_USER_HEADERS = ['x-turnpike-end-user-id', 'x-turnpike-customer-id', 'x-litellm-end-user-id', 'x-litellm-customer-id'] as const;
const MAX_KEY = 64;
const MAX_TAG = 256;
const MAX_METADATA = 512;
const MAX_METADATA_BYTES = 8_192;
const MAX_END_USER = 256;

/**
 * Reads the labels of a request. Ours wins over its LiteLLM alias.
 * - Tags: a JSON object of strings, or LiteLLM's comma list, whose items are `key:value`, `key=value` or a bare word (value `true`).
 *   The key's own tags are the base: a request may add to them and repeat them, never change them.
 * - Metadata: a JSON object of strings, at most 8 KiB.
 * @throws {GatewayError} `header_not_allowed` naming the header: what cannot be obeyed is refused, never ignored in silence.
 */
export function requestLabels(headers: IncomingHttpHeaders, keyTags: Readonly<Record<string, string>>): RequestLabels {
  const retries = headers['x-stainless-retry-count'];
  return {
    tags: tagsOf(headers, keyTags),
    metadata: metadataOf(headers),
    endUser: endUserOf(headers),
    sdkRetryCount: typeof retries === 'string' && /^\d{1,4}$/.test(retries) ? Number(retries) : null,
  };
}

function tagsOf(headers: IncomingHttpHeaders, keyTags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const given = firstOf(headers, TAG_HEADERS);
  if (given === null) return keyTags;
  const asked = given.text.trimStart().startsWith('{') ? stringMap(given.name, given.text, MAX_TAG) : tagList(given.name, given.text);
  const tags: Record<string, string> = { ...keyTags };
  for (const [key, value] of Object.entries(asked)) {
    const base = keyTags[key];
    if (base !== undefined && base !== value) throw refusal(given.name, `the tag '${key}' is set by the API key`);
    tags[key] = value;
  }
  if (Object.keys(tags).length > MAX_TAGS) throw refusal(given.name, `a request has at most ${MAX_TAGS} tags, those of its key counted`);
  return tags;
}

function tagList(name: string, text: string): Readonly<Record<string, string>> {
  const tags: Record<string, string> = {};
  for (const item of text.split(',')) {
    const trimmed = item.trim();
    if (trimmed === '') continue;
    const separator = trimmed.search(/[:=]/);
    const key = separator < 0 ? trimmed : trimmed.slice(0, separator).trim();
    const value = separator < 0 ? 'true' : trimmed.slice(separator + 1).trim();
    if (key === '' || key.length > MAX_KEY) throw refusal(name, `a tag's name has 1 to ${MAX_KEY} characters`);
    if (value.length > MAX_TAG) throw refusal(name, `a tag's value has at most ${MAX_TAG} characters`);
    tags[key] = value;
  }
  return tags;
}

function metadataOf(headers: IncomingHttpHeaders): Readonly<Record<string, string>> | null {
  const given = firstOf(headers, METADATA_HEADERS);
  if (given === null) return null;
  if (given.text.length > MAX_METADATA_BYTES) throw refusal(given.name, `it has at most ${MAX_METADATA_BYTES} bytes`);
  return stringMap(given.name, given.text, MAX_METADATA);
}

function endUserOf(headers: IncomingHttpHeaders): string | null {
  const given = firstOf(headers, END_USER_HEADERS);
  if (given === null) return null;
  if (given.text.length > MAX_END_USER) throw refusal(given.name, `it has at most ${MAX_END_USER} characters`);
  return given.text;
}

function stringMap(name: string, text: string, maxLength: number): Readonly<Record<string, string>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refusal(name, 'it must be a JSON object with string values');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refusal(name, 'it must be a JSON object with string values');
  }
  const map: Record<string, string> = {};
  for (const [key, item] of Object.entries(value)) {
    if (typeof item !== 'string') throw refusal(name, `the value of '${key.slice(0, MAX_KEY)}' must be a string`);
    if (key === '' || key.length > MAX_KEY || !isStorable(key)) throw refusal(name, `a name has 1 to ${MAX_KEY} characters`);
    if (item.length > maxLength || !isStorable(item)) throw refusal(name, `the value of '${key}' has at most ${maxLength} characters`);
    // `__proto__` as a name is a name like any other.
    Object.defineProperty(map, key, { value: item, enumerable: true, writable: true, configurable: true });
  }
  return map;
}

function firstOf(headers: IncomingHttpHeaders, names: readonly string[]): { readonly name: string; readonly text: string } | null {
  for (const name of names) {
    const text = headers[name];
    // Node hands header bytes over as latin1; what applications mean is UTF-8.
    if (typeof text === 'string' && text !== '') return { name, text: Buffer.from(text, 'latin1').toString('utf8') };
  }
  return null;
}

function refusal(name: string, why: string): GatewayError {
  return new GatewayError('header_not_allowed', { message: `Header '${name}': ${why}.`, param: name });
}
