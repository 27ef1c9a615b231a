import type { Static, TSchema } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Failure } from './failures.ts';
import { invalidRequest } from './failures.ts';

/** An optional field that clients may also send as null. */
export const orNull = <Schema extends TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]));

/** `/messages/0/role` as OpenAI spells it: `messages[0].role`. */
function parameterName(instancePath: string, missing: string | undefined): string | null {
  const steps = instancePath.split('/').slice(1);
  if (missing !== undefined) steps.push(missing);
  const name = steps.map((step, index) => (/^\d+$/.test(step) ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
  return name === '' ? null : name;
}

/** Instead of what was asked for: why the request is refused. */
export type Refused = { readonly failure: Failure };

/** A request, in a wrapping of ours: a body may have any fields, one called `failure` too. */
export type Read<Request> = { readonly request: Request } | Refused;

export const isRefused = (outcome: object): outcome is Refused => 'failure' in outcome;

/** A function that reads a request body of this schema, or says what OpenAI would say about it. */
export function createRequestReader<Schema extends TSchema>(schema: Schema): (body: Uint8Array) => Read<Static<Schema>> {
  const validator = Compile(schema);
  return (body) => {
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
    } catch {
      return {
        failure: invalidRequest(
          'We could not parse the JSON body of your request. (HINT: This likely means you are not using your HTTP library correctly.)',
          null,
        ),
      };
    }
    if (validator.Check(value)) return { request: value };
    const [problem] = validator.Errors(value);
    const missing = problem?.keyword === 'required' ? problem.params.requiredProperties[0] : undefined;
    const param = parameterName(problem?.instancePath ?? '', missing);
    return {
      failure: invalidRequest(
        missing === undefined ? `Invalid value for '${param ?? 'body'}': ${problem?.message}.` : `Missing required parameter: '${param}'.`,
        param,
        missing === undefined ? 'invalid_type' : 'missing_required_parameter',
      ),
    };
  };
}
