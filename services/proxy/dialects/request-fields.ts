import { GatewayError } from '../../../schema/errors.ts';
import type { Fields } from '../body/json-fields.ts';
import { isFields } from '../body/json-fields.ts';
import type { NotCarried } from '../conversation/dialect.ts';

/** The members of an object by the names they are asked for, where a dialect has several for one. */
export type Spelling = (fields: Fields) => Fields;

/**
 * One object of a request, read member by member. Null and absent are the same: the request does not say. A member of the wrong kind is refused with its
 * place; members that nobody asked for are named by {@link tellRest}, so that no field is dropped in silence.
 */
export class RequestFields {
  /** `messages[2].content[0]`; '' = the body. */
  readonly place: string;
  readonly #fields: Fields;
  readonly #notCarried: NotCarried;
  readonly #spelling: Spelling;
  readonly #asked = new Set<string>();

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
    return value === null ? null : new RequestFields(value, this.placeOf(name), this.#notCarried, this.#spelling);
  }

  /** The objects of a list; none where it is not there. */
  objects(name: string): RequestFields[] {
    const place = this.placeOf(name);
    return (this.list(name) ?? []).map((value, index) => new RequestFields(value, `${place}[${index}]`, this.#notCarried, this.#spelling));
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

  /** Names the members that nobody asked for and that say something. */
  tellRest(): void {
    for (const [name, value] of Object.entries(this.#fields)) {
      const isEmpty = value === null || value === undefined || (Array.isArray(value) && value.length === 0);
      if (!isEmpty && !this.#asked.has(name)) this.drop(name);
    }
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
}

function asWritten(fields: Fields): Fields {
  return fields;
}

function invalidField(param: string, fault: string): GatewayError {
  return new GatewayError('invalid_request', { param, message: `Invalid '${param}': ${fault}.` });
}
