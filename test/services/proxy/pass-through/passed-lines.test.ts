import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GatewayError } from '../../../../schema/errors.ts';
import { wordsOf } from '../../../../services/proxy/answer/error-dialect.ts';
import { LINES, PassedLines } from '../../../../services/proxy/pass-through/passed-lines.ts';
import { UsageTap } from '../../../../services/proxy/pass-through/usage-tap.ts';
import type { StreamSink } from '../../../../services/proxy/providers/provider.ts';
import { PROVIDERS } from '../../../../services/proxy/providers/registry.ts';

const text = '{"message":{"content":"é"},"done":false}\n\n{"message":{"content":""},"done":true,"prompt_eval_count":21,"eval_count":9}';

function listening() {
  const passed: string[] = [];
  const said: string[] = [];
  const sink: StreamSink = {
    pass: (bytes) => passed.push(bytes.toString()),
    completed: (ending) => said.push(`completed ${ending.toString()}`),
    failed: () => said.push('failed'),
    broken: () => said.push('broken'),
  };
  return { passed, said, reader: new PassedLines(sink, new UsageTap(PROVIDERS.ollama)) };
}

test('whole lines pass, wherever they are cut, and the last of them ends the stream', () => {
  const bytes = Buffer.from(text);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (places) => {
      const { passed, said, reader } = listening();
      const cuts = [0, ...places.sort((one, other) => one - other), bytes.length];
      for (const [index, cut] of cuts.slice(1).entries()) reader.push(bytes.subarray(cuts[index], cut));
      expect(passed.every((lines) => lines.endsWith('\n'))).toBe(true);
      expect(reader.end(true)).toBe(true);
      expect(passed.join('') + said.join('').replace('completed ', '')).toBe(text);
      expect(reader.facts().usage).toMatchObject({ input: 21, output: 9 });
    }),
  );
});

test('one that breaks off is not complete, and what is wrong is said in a line of its own', () => {
  const { said, reader } = listening();
  reader.push(Buffer.from(text.slice(0, 60)));
  expect([reader.end(false), said]).toEqual([false, []]);
  const line = LINES.failure(wordsOf(new GatewayError('upstream_broken_stream')))?.toString();
  expect(line?.endsWith('\n')).toBe(true);
  expect(JSON.parse(line ?? '')).toEqual({ error: expect.any(String) });
});

test('a line without an end is no line', () => {
  const { said, reader } = listening();
  reader.push(Buffer.alloc(9 * 1024 * 1024, 'x'));
  expect(said).toEqual(['broken']);
});
