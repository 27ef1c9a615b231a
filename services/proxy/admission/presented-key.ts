import type { IncomingHttpHeaders } from 'node:http';

/** Headers a key is accepted in, by precedence (client-contract section 6); none of them ever goes upstream. */
const KEY_HEADERS = ['api-key', 'x-api-key', 'x-goog-api-key', 'x-litellm-api-key'] as const;

/** The key a request presents, without its scheme, or null. The first header that holds one decides. */
export function presentedKey(headers: IncomingHttpHeaders): string | null {
  const authorization = headers.authorization;
  if (authorization !== undefined && authorization.length > 7 && authorization.slice(0, 7).toLowerCase() === 'bearer ') {
    return authorization.slice(7).trim();
  }
  for (const name of KEY_HEADERS) {
    const value = headers[name];
    if (typeof value !== 'string' || value === '') continue;
    // LiteLLM's own header is documented with the scheme in front.
    return value.slice(0, 7).toLowerCase() === 'bearer ' ? value.slice(7).trim() : value.trim();
  }
  return null;
}
