import type { Endpoint } from '../endpoint.ts';
import { sendJson } from '../endpoint.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** `GET /scenario`: how far it has come. `DELETE /scenario`: begin anew. */
export function scenarioEndpoint(scenario: Scenario): Endpoint {
  return {
    path: '/scenario',
    handlers: {
      GET: ({ response }) => sendJson(response, 200, scenario.view()),
      DELETE: ({ response }) => {
        scenario.restart();
        response.writeHead(204);
        response.end();
      },
    },
  };
}
