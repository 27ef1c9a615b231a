import { createHash } from 'node:crypto';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { exampleOperations } from './example-operations.ts';
import { withKeyBar } from './graphiql-key-bar.ts';

/** The explorer: one page with everything in it, from the package and from no other host. */
export interface GraphiqlPage {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Renders the page once. It asks for a key in a line above the explorer and keeps it nowhere: not in storage, not in a URL.
 * Its content security policy lets it talk to this server only.
 */
export function createGraphiqlPage(): GraphiqlPage {
  const html = withKeyBar(
    renderGraphiQL({
      title: 'turnpike',
      endpoint: '/graphql',
      subscriptionsProtocol: 'SSE',
      method: 'POST',
      shouldPersistHeaders: false,
      isHeadersEditorEnabled: true,
      defaultTabs: exampleOperations.map(({ query, variables }) => ({ query, ...(variables === null ? {} : { variables }) })),
    }),
  );
  return {
    html,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      etag: `"${createHash('sha256').update(html).digest('base64url').slice(0, 27)}"`,
      'content-security-policy':
        "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; style-src 'unsafe-inline'; img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    },
  };
}
