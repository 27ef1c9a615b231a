import type { Endpoints } from './endpoints.ts';

/** What a person reads once all is ready: where everything is, and a first request that works as pasted. */
export function greeting(endpoints: Endpoints, home: string): string {
  const { proxyUrl, graphqlUrl, simUrl, adminKey, demoKey } = endpoints;
  return `
  OpenAI API    ${proxyUrl}
  GraphQL       ${graphqlUrl}    (opens GraphiQL in a browser)
  Simulator     ${simUrl}    (a provider that costs nothing: sim/echo, sim/slow, sim/flaky)
  Demo key      ${demoKey}
  Admin key     ${adminKey}
  All of this is in ${home}/endpoints.json.

First request, as it stands:

curl ${proxyUrl}/chat/completions -H 'authorization: Bearer ${demoKey}' -H 'content-type: application/json' -d '{"model":"sim/echo","messages":[{"role":"user","content":"Hello, turnpike!"}]}'

What it cost: open ${graphqlUrl} in a browser, paste the admin key on top, and run the first example.
Ctrl-C stops everything in order.
`;
}
