import type { Static } from 'typebox';
import { Type } from 'typebox';
import type { Composition, CompositionContext } from '../billable-endpoint.ts';
import { createBillableEndpoint } from '../billable-endpoint.ts';
import type { Endpoint, SimulatorState } from '../endpoint.ts';
import { unknownModel } from '../failures.ts';
import { createRequestReader, orNull } from '../request-reader.ts';
import { noTokens, toldCounts } from '../token-counts.ts';

/** OpenAI's first, and those that are named by one word. */
const CATEGORIES = ['harassment', 'hate', 'illicit', 'self-harm', 'sexual', 'violence'] as const;

const Part = Type.Object({ type: Type.String(), text: Type.Optional(Type.String()) });
/** What the simulator reads of a request to moderate: a text, several, or parts. */
const ModerationRequest = Type.Object({
  model: Type.String(),
  input: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 }), Type.Array(Part, { minItems: 1 })]),
  metadata: orNull(Type.Record(Type.String(), Type.Unknown())),
});
type ModerationRequest = Static<typeof ModerationRequest>;

/** Each text has a result, all parts together have one. */
function textsOf({ input }: ModerationRequest): readonly string[] {
  if (typeof input === 'string') return [input];
  const texts = input.filter((item) => typeof item === 'string');
  if (texts.length > 0) return texts;
  return [input.map((item) => (typeof item === 'string' ? item : (item.text ?? ''))).join(' ')];
}

/** A category is found where a text names it. */
function resultOf(text: string): object {
  const found = CATEGORIES.map((category) => [category, text.toLowerCase().includes(category)] as const);
  return {
    flagged: found.some(([, isThere]) => isThere),
    categories: Object.fromEntries(found),
    category_scores: Object.fromEntries(found.map(([category, isThere]) => [category, isThere ? 0.99 : 0.000001])),
  };
}

function compose(request: ModerationRequest, { behavior, random }: CompositionContext): Composition {
  const id = `modr-${random.letters(29)}`;
  const model = behavior.answerAs ?? request.model;
  const body = JSON.stringify({ id, model, results: textsOf(request).map(resultOf) });
  return { kind: 'body', id, headers: [], usage: noTokens, told: toldCounts(noTokens, []), body, units: 0 };
}

/** `POST /v1/moderations`, as OpenAI answers it: free, and without a usage. */
export function moderationsEndpoint(state: SimulatorState): Endpoint {
  return createBillableEndpoint(state, {
    path: '/v1/moderations',
    promptParameter: 'input',
    read: createRequestReader(ModerationRequest),
    unknownModel,
    compose,
  });
}
