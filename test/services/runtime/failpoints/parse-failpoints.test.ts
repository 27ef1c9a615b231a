import { expect, test } from 'vitest';
import { parseEnvironment } from '../../../../services/runtime/environment.ts';
import { parseFailpoints } from '../../../../services/runtime/failpoints/parse-failpoints.ts';
import { StartRefusal } from '../../../../services/runtime/start-refusal.ts';

const consent = { TURNPIKE_FAILPOINTS_CONSENT: 'this-is-a-test' };

function parse(text: string, variables: Record<string, string> = consent) {
  const problems: string[] = [];
  const armed = parseFailpoints({ ...variables, TURNPIKE_FAILPOINTS: text }, problems);
  return { armed, problems };
}

test('names, actions, codes and passages are read', () => {
  expect(parse('proxy.spool.wrote=kill@3, ledger.books.committed=error:ECONNRESET,ledger.batch.fetched=pause')).toEqual({
    armed: [
      { name: 'proxy.spool.wrote', action: { kind: 'kill' }, passage: 3 },
      { name: 'ledger.books.committed', action: { kind: 'error', code: 'ECONNRESET' }, passage: 1 },
      { name: 'ledger.batch.fetched', action: { kind: 'pause' }, passage: 1 },
    ],
    problems: [],
  });
});

test.each([{}, { TURNPIKE_FAILPOINTS_CONSENT: 'yes' }, { TURNPIKE_FAILPOINTS_CONSENT: '' }])(
  'without consent to fail on purpose nothing is armed, and it is refused: %o',
  (variables) => {
    const { armed, problems } = parse('proxy.spool.wrote=kill', variables);
    expect(armed).toEqual([]);
    expect(problems.join()).toContain('TURNPIKE_FAILPOINTS_CONSENT=this-is-a-test');
  },
);

test('consent alone arms nothing', () => {
  const problems: string[] = [];
  expect(parseFailpoints({ ...consent, TURNPIKE_FAILPOINTS: ' ' }, problems)).toEqual([]);
  expect(problems).toEqual([]);
});

test.each([
  ['proxy.nowhere=kill', 'there is no failpoint proxy.nowhere; there are proxy.spool.create'],
  ['proxy.spool.wrote', 'expected name=kill'],
  ['proxy.spool.wrote=explode', 'expected name=kill'],
  ['proxy.spool.wrote=kill@0', 'expected name=kill'],
  ['proxy.spool.wrote=kill:EIO', 'an error has a code'],
  ['proxy.spool.wrote=error', 'an error has a code'],
  ['proxy.request.closed=error:EIO', 'nothing there can fail'],
])('%s is refused, with what would be right', (text, said) => {
  const { armed, problems } = parse(text);
  expect(armed).toEqual([]);
  expect(problems.join()).toContain(said);
});

test('no process starts with failpoints that nobody consented to', () => {
  expect(() => parseEnvironment({ TURNPIKE_FAILPOINTS: 'proxy.spool.wrote=kill' }, '/work')).toThrow(StartRefusal);
  expect(parseEnvironment({ TURNPIKE_FAILPOINTS: 'proxy.spool.wrote=kill', ...consent }, '/work').failpoints).toHaveLength(1);
});
