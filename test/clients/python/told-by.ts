import { Type } from 'typebox';
import { Value } from 'typebox/value';

/** What a script says of an answer: the id of its request, and the tokens it was told of. */
const Told = Type.Tuple([Type.String(), Type.Integer(), Type.Integer()]);

/** What a script said, a line an answer. */
export function toldBy(stdout: string): readonly (readonly [requestId: string, input: number, output: number])[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => Value.Parse(Told, JSON.parse(line)));
}
