import type { Static, TSchema } from 'typebox';
import type { Validator } from 'typebox/compile';

/** Where a body is wrong and how, in the words of the OpenAI envelope: `param` is `messages[0]`, `stream_options.include_usage`, … */
export interface BodyFault {
  readonly param: string | null;
  readonly message: string;
}

/** Tells whether a parsed body can be served. The value is not copied: unknown fields stay. */
export interface BodyCheck<Body> {
  is(value: unknown): value is Body;
  /** The first fault of a value that is none. */
  fault(value: unknown): BodyFault;
}

/** @param called what a right one is: `a chat completion request`. */
export function createBodyCheck<Schema extends TSchema>(
  check: Validator<Record<string, never>, Schema>,
  called: string,
): BodyCheck<Static<Schema>> {
  return {
    is: (value): value is Static<Schema> => check.Check(value),
    fault: (value) => {
      const [first] = check.Errors(value);
      if (first === undefined) return { param: null, message: `The request body is not ${called}.` };
      const missing = 'requiredProperties' in first.params ? first.params.requiredProperties[0] : undefined;
      const param = paramOf(missing === undefined ? first.instancePath : `${first.instancePath}/${missing}`);
      if (param === null) return { param, message: 'The request body must be a JSON object.' };
      return missing === undefined
        ? { param, message: `Invalid '${param}': ${first.message}.` }
        : { param, message: `Missing required parameter: '${param}'.` };
    },
  };
}

/** `/messages/0/role` → `messages[0].role`. */
function paramOf(pointer: string): string | null {
  const parts = pointer.split('/').filter((part) => part !== '');
  if (parts.length === 0) return null;
  return parts.map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}
