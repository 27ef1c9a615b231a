/** A member that no dialect has yet. */
export const UNKNOWN = 'from_tomorrow';

/**
 * The same request as often as it has objects, each time with a member in one of them that nobody knows.
 * @param whole members that pass as they are, whatever is in them.
 */
export function withUnknown(request: object, whole: ReadonlySet<string>): Generator<readonly [place: string, changed: unknown]> {
  return changedIn(request, whole, '', '');
}

function* changedIn(
  value: unknown,
  whole: ReadonlySet<string>,
  name: string,
  place: string,
): Generator<readonly [place: string, changed: unknown]> {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) {
      for (const [at, changed] of changedIn(each, whole, '', `${place}[]`)) yield [at, value.with(index, changed)];
    }
    return;
  }
  if (whole.has(name)) return;
  yield [place, { ...value, [UNKNOWN]: 1 }];
  for (const [key, each] of Object.entries(value)) {
    for (const [at, changed] of changedIn(each, whole, key, place === '' ? key : `${place}.${key}`))
      yield [at, { ...value, [key]: changed }];
  }
}
