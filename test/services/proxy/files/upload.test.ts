import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Renamed } from '../../../../services/proxy/files/batch-line.ts';
import { fitsInPlace } from '../../../../services/proxy/files/batch-line.ts';
import { formPieces } from '../../../../services/proxy/files/form-pieces.ts';
import { Upload } from '../../../../services/proxy/files/upload.ts';

type Part = readonly [name: string, content: string, filename?: string];
const form = (parts: readonly Part[]): Buffer => {
  const text = parts.map(([name, content, filename]) => {
    const file = filename === undefined ? '' : `; filename="${filename}"\r\nContent-Type: application/octet-stream`;
    return `--cut\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${content}\r\n`;
  });
  return Buffer.from(`${text.join('')}--cut--\r\n`);
};
const line = (model: string, id = 'a') => `{"custom_id":"${id}","method":"POST","url":"/v1/x","body":{"model": "${model}","n":1.0}}`;
async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
/** What the provider gets, and what was known before. */
async function sent(
  bytes: Buffer,
  renamed: Omit<Renamed, 'from'> | null = null,
  size = 7,
): Promise<{ model: string | null; purpose: string | null; text: string }> {
  const upload = new Upload(formPieces(inPieces(bytes, size), 'cut'));
  const model = await upload.firstModel();
  const chunks: Buffer[] = [];
  for await (const chunk of upload.body(model === null || renamed === null ? null : { ...renamed, from: model })) chunks.push(chunk);
  return { model, purpose: upload.purpose, text: Buffer.concat(chunks).toString() };
}

test('a file that is no input of a batch passes to the byte, wherever it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('\r\n', '--cut', '{', '-', 'x', '\n')),
      fc.integer({ min: 1, max: 90 }),
      async (content, size) => {
        const file = `.${content.join('').replaceAll('\r\n--cut', '')}`;
        fc.pre(!file.includes('\r\n--cut'));
        const bytes = form([
          ['file', file, 'a.bin'],
          ['purpose', 'user_data'],
        ]);
        expect(await sent(bytes, null, size)).toEqual({ model: null, purpose: 'user_data', text: bytes.toString() });
      },
    ),
    { numRuns: 50 },
  );
});

test('each line of a batch gets the name that the provider has for its model, and keeps its other bytes', async () => {
  const lines = [line('acme/fast-model'), '', line('acme/fast-model', 'b')];
  for (const size of [1, 3, 64, 10_000]) {
    const bytes = form([
      ['file', lines.join('\r\n'), 'a.jsonl'],
      ['purpose', 'batch'],
    ]);
    const { model, purpose, text } = await sent(bytes, { to: 'fast', keepsLength: false, isShared: false }, size);
    expect([model, purpose, text]).toEqual(['acme/fast-model', 'batch', bytes.toString().replaceAll('acme/fast-model', 'fast')]);
  }
});

test('where the length was announced it is kept', async () => {
  const bytes = form([
    ['purpose', 'batch'],
    ['file', `${line('acme/fast')}\n`, 'a.jsonl'],
  ]);
  const { text } = await sent(bytes, { to: 'fast', keepsLength: true, isShared: false });
  expect(text).toBe(bytes.toString().replace('"acme/fast"', '"fast"     '));
  expect(fitsInPlace({ from: 'fast', to: 'a-much-longer-name' })).toBe(false);
});

const isInput = { to: 'fast', keepsLength: false, isShared: false };
test.each([
  [
    'another model',
    form([
      ['file', `${line('a/b')}\n${line('a/c')}`, 'a'],
      ['purpose', 'batch'],
    ]),
    "Line 2 of the file must name the model 'a/b'",
  ],
  [
    'no line',
    form([
      ['file', `${line('a/b')}\nnone`, 'a'],
      ['purpose', 'batch'],
    ]),
    'Line 2 of the file must be a JSON object',
  ],
  [
    'no batch',
    form([
      ['file', 'hello', 'a'],
      ['purpose', 'batch'],
    ]),
    'Line 1 of the file must be a JSON object',
  ],
  [
    'another purpose',
    form([
      ['file', line('a/b'), 'a'],
      ['purpose', 'assistants'],
    ]),
    "its 'purpose' must be 'batch'",
  ],
  ['no purpose', form([['file', 'x', 'a']]), "one 'purpose'"],
  [
    'two purposes',
    form([
      ['purpose', 'a'],
      ['purpose', 'b'],
      ['file', 'x', 'a'],
    ]),
    "one 'purpose'",
  ],
  [
    'two files',
    form([
      ['file', 'x', 'a'],
      ['file', 'y', 'b'],
      ['purpose', 'a'],
    ]),
    "one 'file'",
  ],
  ['no file', form([['purpose', 'a']]), "one 'file'"],
  [
    'another file',
    form([
      ['other', 'x', 'a'],
      ['purpose', 'a'],
    ]),
    "one 'file'",
  ],
  [
    'an end too soon',
    form([
      ['file', 'x', 'a'],
      ['purpose', 'a'],
    ]).subarray(0, -8),
    'is not a form',
  ],
  ['no form', Buffer.from('hello, this is no form at all'), 'is not a form'],
])('%s is refused before the last byte is sent', async (_what, bytes, message) => {
  const upload = sent(bytes, isInput);
  await expect(upload).rejects.toMatchObject({ name: 'GatewayError', status: 400 });
  await expect(upload).rejects.toThrow(message);
});

test('no more of a file is asked for than the provider takes', async () => {
  let asked = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    yield form([
      ['purpose', 'user_data'],
      ['file', '', 'a.bin'],
    ]).subarray(0, -'\r\n--cut--\r\n'.length);
    for (;;) {
      asked += 1;
      yield Buffer.alloc(65_536);
    }
  }
  const upload = new Upload(formPieces(endless(), 'cut'));
  expect(await upload.firstModel()).toBe(null);
  const body = upload.body(null);
  for (let taken = 0; taken < 100; taken++) {
    await body.next();
    expect(asked - taken).toBeLessThan(4);
  }
});

test.each([
  ['a file', { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] }, 'messages[0]'],
  ['a response', { input: 'x', previous_response_id: 'resp_1' }, 'previous_response_id'],
  ['a prompt', { input: 'x', prompt: { id: 'pmpt_1' } }, 'prompt'],
  ['nothing', { prompt: 'a text', messages: [{ role: 'user', content: 'x' }] }, null],
])(
  'in an account that several organizations share, a line that names %s of what is kept there is refused, unless that is nothing',
  async (_what, body, param) => {
    const lines = JSON.stringify({ custom_id: 'a', method: 'POST', url: '/v1/x', body: { model: 'acme/fast', ...body } });
    const bytes = form([
      ['purpose', 'batch'],
      ['file', lines, 'a.jsonl'],
    ]);
    const shared = sent(bytes, { to: 'fast', keepsLength: false, isShared: true });
    if (param === null) await expect(shared).resolves.toMatchObject({ purpose: 'batch' });
    else await expect(shared).rejects.toMatchObject({ status: 400, param });
    await expect(sent(bytes, { to: 'fast', keepsLength: false, isShared: false })).resolves.toMatchObject({ purpose: 'batch' });
  },
);
