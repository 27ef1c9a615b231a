/** `http://host/` of a request that names its server in full, as it would to a proxy (RFC 9112 section 3.2.2). */
const ORIGIN = /^https?:\/\/[^/?#]*/i;

/** The path of a request target: without origin, query and fragment, and otherwise as it was sent. */
export function requestPath(target: string): string {
  const local = target.startsWith('/') ? target : target.replace(ORIGIN, '');
  const end = local.search(/[?#]/);
  return end < 0 ? local : local.slice(0, end);
}

/** The query of a request target, with its question mark; '' = it has none. */
export function requestQuery(target: string): string {
  const start = target.indexOf('?');
  if (start < 0) return '';
  const end = target.indexOf('#', start);
  return end < 0 ? target.slice(start) : target.slice(start, end);
}
