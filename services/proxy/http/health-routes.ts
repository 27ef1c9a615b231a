import type { ServerResponse } from 'node:http';
import type { HealthAnswers } from '../../runtime/health-answers.ts';
import type { Route } from './router.ts';

/**
 * The routes that every process has, for this server.
 * @param onFault told when there is no answer.
 */
export function healthRoutes(answers: HealthAnswers, onFault: (response: ServerResponse, cause: unknown) => void): readonly Route[] {
  return Object.entries(answers).map(([path, answer]) => ({
    method: 'GET',
    path,
    handle: (_request, response) => {
      answer().then(
        ({ status, contentType, text }) => {
          const body = Buffer.from(text, 'utf8');
          response.writeHead(status, ['content-type', contentType, 'content-length', String(body.length)]);
          response.end(body);
        },
        (error: unknown) => onFault(response, error),
      );
    },
  }));
}
