import { GatewayError } from '../../../schema/errors.ts';
import type { Fields } from '../body/json-fields.ts';
import { isFields } from '../body/json-fields.ts';
import type { NotCarried } from '../conversation/dialect.ts';

/** The members of an object by the names they are asked for, where a dialect has several for one. */
export type Spelling = (fields: Fields) => Fields;

/**
 * One object of a request, read member by member. Null and absent are the same: the request does not say. A member of the wrong kind is refused with its
 * place; members that nobody asked for, here and in all that was read of it, are named by {@link tellRest} of the whole request, so that no field is
 * dropped in silence.
 */
export class RequestFields {
  /** `messages[2].content[0]`; '' = the body. */
  readonly place: string;
  readonly #fields: Fields;
  readonly #notCarried: NotCarried;
  readonly #spelling: Spelling;
  readonly #asked = new Set<string>();
  readonly #parts: RequestFields[] = [];
  #isDropped = false;

  constructor(value: unknown, place: string, notCarried: NotCarried, spelling: Spelling = asWritten) {
    if (!isFields(value)) throw invalidField(place, 'must be an object');
    this.#fields = spelling(value);
    this.place = place;
    this.#notCarried = notCarried;
    this.#spelling = spelling;
  }

  value(name: string): unknown {
    this.#asked.add(name);
    return this.#fields[name] ?? null;
  }

  text(name: string): string | null {
    const value = this.value(name);
    if (value !== null && typeof value !== 'string') throw this.invalid(name, 'must be a string');
    return value;
  }

  number(name: string): number | null {
    const value = this.value(name);
    if (value !== null && typeof value !== 'number') throw this.invalid(name, 'must be a number');
    return value;
  }

  flag(name: string): boolean | null {
    const value = this.value(name);
    if (value !== null && typeof value !== 'boolean') throw this.invalid(name, 'must be a boolean');
    return value;
  }

  list(name: string): readonly unknown[] | null {
    const value = this.value(name);
    if (value !== null && !Array.isArray(value)) throw this.invalid(name, 'must be an array');
    return value;
  }

  object(name: string): RequestFields | null {
    const value = this.value(name);
    return value === null ? null : this.#part(value, this.placeOf(name));
  }

  /** An object that passes as it is, whatever is in it. */
  wholeObject(name: string): Fields | null {
    const value = this.value(name);
    if (value !== null && !isFields(value)) throw this.invalid(name, 'must be an object');
    return value;
  }

  /** Takes note of members that say nothing to a model: they need not be carried. */
  passOver(...names: readonly string[]): void {
    for (const name of names) this.#asked.add(name);
  }

  /** The objects of a list; none where it is not there. */
  objects(name: string): RequestFields[] {
    const place = this.placeOf(name);
    return (this.list(name) ?? []).map((value, index) => this.#part(value, `${place}[${index}]`));
  }

  /** A text that has to be there. */
  neededText(name: string): string {
    const value = this.text(name);
    if (value === null) throw this.missing(name);
    return value;
  }

  neededObject(name: string): RequestFields {
    const value = this.object(name);
    if (value === null) throw this.missing(name);
    return value;
  }

  /** Says of a member that it is not carried. */
  drop(name: string): void {
    this.#notCarried(this.placeOf(name).replaceAll(/\[\d+\]/g, '[]'));
  }

  /** Says of the whole object that it is not carried: of its members nothing is said then. @param kind that tells it from its neighbors. */
  dropWhole(kind: string): void {
    this.#isDropped = true;
    this.drop(kind);
  }

  /** Names the members that nobody asked for and that say something, in this object and in those that were read of it. */
  tellRest(): void {
    if (this.#isDropped) return;
    for (const [name, value] of Object.entries(this.#fields)) {
      const isEmpty = value === null || value === undefined || (Array.isArray(value) && value.length === 0);
      if (!isEmpty && !this.#asked.has(name)) this.drop(name);
    }
    for (const part of this.#parts) part.tellRest();
  }

  /** That a member is at fault. */
  invalid(name: string, fault: string): GatewayError {
    return invalidField(this.placeOf(name), fault);
  }

  missing(name: string): GatewayError {
    const param = this.placeOf(name);
    return new GatewayError('invalid_request', { param, message: `Missing required parameter: '${param}'.` });
  }

  placeOf(name: string): string {
    return this.place === '' ? name : `${this.place}.${name}`;
  }

  #part(value: unknown, place: string): RequestFields {
    const part = new RequestFields(value, place, this.#notCarried, this.#spelling);
    this.#parts.push(part);
    return part;
  }
}

function asWritten(fields: Fields): Fields {
  return fields;
}

function invalidField(param: string, fault: string): GatewayError {
  return new GatewayError('invalid_request', { param, message: `Invalid '${param}': ${fault}.` });
}
