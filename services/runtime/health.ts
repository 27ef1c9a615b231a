import type { FastifyInstance } from 'fastify';
import type { HealthOptions } from './health-answers.ts';
import { createHealthAnswers } from './health-answers.ts';

/** Adds the routes of health to a Fastify server. */
export function addHealthRoutes(app: FastifyInstance, options: HealthOptions): void {
  for (const [path, answer] of Object.entries(createHealthAnswers(options))) {
    app.get(path, async (_request, reply) => {
      const { status, contentType, text } = await answer();
      return reply.code(status).header('content-type', contentType).send(text);
    });
  }
}
