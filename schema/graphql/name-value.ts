import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';

/** A name and a text, for maps with free keys (tags, metadata), which GraphQL has no type for. */
export const NameValue = builder.objectRef<{ readonly name: string; readonly value: string }>('NameValue').implement({
  fields: (t) => ({ name: t.exposeString('name'), value: t.exposeString('value') }),
});

/** The same for input; a name may stand once. */
export const NameValueInput = builder.inputType('NameValueInput', {
  fields: (t) => ({ name: t.string({ required: true }), value: t.string({ required: true }) }),
});

/** Sorted by name, so that equal maps read equal. */
export function nameValues(map: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(map)
    .map(([name, value]) => ({ name, value }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** @throws GraphQLError `BAD_USER_INPUT` for a name given twice, an empty or over-long one, or more than 32. */
export function mapOf(pairs: readonly { readonly name: string; readonly value: string }[], longestValue: number): Record<string, string> {
  if (pairs.length > 32) throw badInput('At most 32 names.');
  const map: Record<string, string> = Object.create(null);
  for (const { name, value } of pairs) {
    if (name === '' || name.length > 64) throw badInput('A name has 1 to 64 characters.');
    if (value.length > longestValue) throw badInput(`A value has at most ${longestValue} characters.`);
    if (name in map) throw badInput(`The name ${JSON.stringify(name)} is given twice.`);
    map[name] = value;
  }
  return { ...map };
}
