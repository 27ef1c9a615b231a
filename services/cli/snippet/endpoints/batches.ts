import { BATCHES } from '../../../../schema/http/batches.ts';
import { openaiPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { shellText } from '../text-literal.ts';
import { openaiTypeScript } from '../typescript.ts';
import { inputPython, inputTypeScript, uploadByCurl } from './files.ts';

/** In double quotes, for the shell puts the file there. */
const body = String.raw`{\"input_file_id\": \"$FILE\", \"endpoint\": \"/v1/chat/completions\", \"completion_window\": \"24h\"}`;

export const batches: Snippet = {
  name: 'batches',
  title: 'A batch of one request; its answer is in the file `output_file_id` once it is completed',
  endpoint: BATCHES,
  model: 'sim/echo',
  code: {
    curl: (target) => `FILE=$(${uploadByCurl(target).trimEnd()} |
  sed -n 's/.*"id": *"\\([^"]*\\)".*/\\1/p')
curl ${shellText(target.origin + BATCHES)} \\
  -H "authorization: Bearer $TURNPIKE_KEY" \\
  -H 'content-type: application/json' \\
  -d "${body}"
`,
    python: openaiPython(
      (model) => `${inputPython(model)}batch = client.batches.create(
    input_file_id=file.id,
    endpoint="/v1/chat/completions",
    completion_window="24h",
)
print(batch.id)
`,
      { imports: 'import json\nimport os' },
    ),
    typescript: openaiTypeScript(
      (model) => `${inputTypeScript(model)}const batch = await client.batches.create({
  input_file_id: file.id,
  endpoint: '/v1/chat/completions',
  completion_window: '24h',
});
console.log(batch.id);
`,
      { imports: "import { toFile } from 'openai';" },
    ),
  },
};
