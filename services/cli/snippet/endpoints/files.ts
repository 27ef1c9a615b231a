import { CHAT_COMPLETIONS } from '../../../../schema/http/chat-completions.ts';
import { FILES } from '../../../../schema/http/files.ts';
import type { ClientCode } from '../client-code.ts';
import { curl } from '../curl.ts';
import { openaiPython } from '../python.ts';
import type { Snippet, WriteCode } from '../snippet.ts';
import { shellText } from '../text-literal.ts';
import { openaiTypeScript } from '../typescript.ts';

const lineOf = (model: string) => ({
  custom_id: '1',
  method: 'POST',
  url: CHAT_COMPLETIONS,
  body: { model, messages: [{ role: 'user', content: 'Hello, turnpike!' }] },
});
const upload = curl({ path: FILES, file: 'file=@-;filename=batch.jsonl', form: () => ({ purpose: 'batch' }) });

/** Uploads the input of a batch, with one line; it is `file` afterwards. */
export const uploadByCurl: WriteCode = (target) =>
  `printf '%s\\n' ${shellText(JSON.stringify(lineOf(target.model)))} |\n  ${upload(target)}`;

export const inputPython: ClientCode = (model) => `line = {
    "custom_id": "1",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {"model": ${model}, "messages": [{"role": "user", "content": "Hello, turnpike!"}]},
}
file = client.files.create(file=("batch.jsonl", json.dumps(line).encode()), purpose="batch")
`;

export const inputTypeScript: ClientCode = (model) => `const line = {
  custom_id: '1',
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model: ${model}, messages: [{ role: 'user', content: 'Hello, turnpike!' }] },
};
const file = await client.files.create({ file: await toFile(Buffer.from(JSON.stringify(line)), 'batch.jsonl'), purpose: 'batch' });
`;

export const files: Snippet = {
  name: 'files',
  title: 'An upload: the input of a batch, with one line',
  endpoint: FILES,
  model: 'sim/echo',
  code: {
    curl: uploadByCurl,
    python: openaiPython((model) => `${inputPython(model)}print(file.id)\n`, { imports: 'import json\nimport os' }),
    typescript: openaiTypeScript((model) => `${inputTypeScript(model)}console.log(file.id);\n`, {
      imports: "import { toFile } from 'openai';",
    }),
  },
};
