import type { Variables } from '../variables.ts';
import type { FailpointName } from './failpoint-catalogue.ts';
import { FAILPOINTS, isFailpointName } from './failpoint-catalogue.ts';

/**
 * What happens when a failpoint is passed:
 * - `kill`: the process gets SIGKILL from itself;
 * - `pause`: it stands still (SIGSTOP) until somebody sends it SIGCONT;
 * - `error`: what stands there fails, with this code of the operating system.
 */
export type FailpointAction = { readonly kind: 'kill' | 'pause' } | { readonly kind: 'error'; readonly code: string };

export interface ArmedFailpoint {
  readonly name: FailpointName;
  readonly action: FailpointAction;
  /** It acts once, when the process passes it for this time, counted from 1. */
  readonly passage: number;
}

/** The second switch, and the only value that it takes. */
const CONSENT = { variable: 'TURNPIKE_FAILPOINTS_CONSENT', value: 'this-is-a-test' };
const form = /^([a-z.-]+)=(kill|pause|error)(?::([A-Z0-9]+))?(?:@([1-9]\d{0,8}))?$/;

/**
 * Reads `TURNPIKE_FAILPOINTS`: `name=action[:CODE][@passage]`, separated by commas, such as
 * `proxy.spool.wrote=kill@3,ledger.books.committed=error:ECONNRESET`. Refused without consent, so that nobody arms one in
 * production by a variable that was left over.
 * @param problems gets what is wrong, for a person.
 */
export function parseFailpoints(variables: Variables, problems: string[]): readonly ArmedFailpoint[] {
  const text = variables.TURNPIKE_FAILPOINTS?.trim() || null;
  if (text === null) return [];
  if (variables[CONSENT.variable] !== CONSENT.value) {
    problems.push(
      `TURNPIKE_FAILPOINTS: makes this process fail on purpose, which only a test may want. Unset it; a test also sets ${CONSENT.variable}=${CONSENT.value}`,
    );
    return [];
  }
  const armed: ArmedFailpoint[] = [];
  for (const part of text.split(',')) {
    const found = parseOne(part.trim());
    if (typeof found === 'string') problems.push(`TURNPIKE_FAILPOINTS: ${found}`);
    else armed.push(found);
  }
  return armed;
}

function parseOne(text: string): ArmedFailpoint | string {
  const [, name = '', kind, code, passage = '1'] = form.exec(text) ?? [];
  if (kind === undefined) return `expected name=kill, =pause or =error:CODE, each perhaps with @passage, found ${JSON.stringify(text)}`;
  if (!isFailpointName(name)) return `there is no failpoint ${name}; there are ${Object.keys(FAILPOINTS).join(', ')}`;
  if ((kind === 'error') !== (code !== undefined)) return `${name}: an error has a code, such as error:EIO, and nothing else has`;
  if (kind !== 'error') return { name, action: { kind: kind === 'kill' ? 'kill' : 'pause' }, passage: Number(passage) };
  if (!FAILPOINTS[name].mayFail) return `${name}: nothing there can fail; it takes kill and pause`;
  return { name, action: { kind, code: code ?? '' }, passage: Number(passage) };
}
