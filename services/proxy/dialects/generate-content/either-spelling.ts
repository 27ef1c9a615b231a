import type { Fields } from '../../body/json-fields.ts';

/** The members of an object by their names in camel case: Google takes each in either spelling (`maxOutputTokens`, `max_output_tokens`). */
export function camelCased(fields: Fields): Fields {
  const names = Object.keys(fields);
  if (!names.some((name) => name.includes('_'))) return fields;
  const spelled = names.map((name) => [name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), fields[name]] as const);
  return Object.fromEntries(spelled);
}
