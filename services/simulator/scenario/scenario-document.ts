import type { Static } from 'typebox';
import { Type } from 'typebox';

/** Paths that a scenario may tell apart: the billable ones. */
export const scenarioEndpoints = ['/v1/chat/completions', '/v1/embeddings', '/v1/rerank', '/v1/responses'] as const;

const strict = { additionalProperties: false } as const;
const oneOrMore = <Schema extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Union>>(schema: Schema, description: string) =>
  Type.Union([schema, Type.Array(schema, { minItems: 1, maxItems: 100 })], { description });

/** `3`, `2..5`, or `3..` without an end. */
const Span = Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^\\d{1,9}(\\.\\.(\\d{1,9})?)?$' })], {
  description: 'a whole number such as 3, or a range such as 2..5 or 3..',
});

const Step = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'a name of 1 to 100 characters' })),
    model: Type.Optional(oneOrMore(Type.String(), 'a model of the simulator, or a list of them')),
    endpoint: Type.Optional(
      oneOrMore(Type.Union(scenarioEndpoints.map((path) => Type.Literal(path))), `one or more of ${scenarioEndpoints.join(', ')}`),
    ),
    stream: Type.Optional(Type.Boolean({ description: 'true or false' })),
    request: Type.Optional(Span),
    sinceStartMs: Type.Optional(Span),
    times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'a whole number from 1' })),
    options: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
        description: 'a map of options and their values, such as {error: 503}',
      }),
    ),
  },
  strict,
);

/** A scenario as its file has it, see README. */
export const ScenarioDocument = Type.Object(
  {
    steps: Type.Array(Step, { minItems: 1, maxItems: 1_000, description: 'a list of 1 to 1,000 steps' }),
    atEnd: Type.Optional(
      Type.Union([Type.Literal('pass'), Type.Literal('repeat'), Type.Literal('stay'), Type.Literal('refuse')], {
        description: 'pass, repeat, stay or refuse',
      }),
    ),
  },
  strict,
);
export type ScenarioDocument = Static<typeof ScenarioDocument>;
export type ScenarioStep = ScenarioDocument['steps'][number];
