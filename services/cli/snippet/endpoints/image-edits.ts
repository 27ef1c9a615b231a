import { IMAGE_EDITS } from '../../../../schema/http/images.ts';
import { curl } from '../curl.ts';
import { openaiPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { openaiTypeScript } from '../typescript.ts';

export const imageEdits: Snippet = {
  name: 'image-edits',
  title: 'A picture made of another',
  endpoint: IMAGE_EDITS,
  model: 'openai/gpt-image-1',
  code: {
    curl: curl({
      path: IMAGE_EDITS,
      flags: '-f -o changed.json',
      file: 'image=@picture.png',
      form: (model) => ({ model, prompt: 'The same at night' }),
    }),
    python: openaiPython(
      (model) => `with open("picture.png", "rb") as file:
    images = client.images.edit(model=${model}, image=file, prompt="The same at night")
with open("changed.png", "wb") as file:
    file.write(base64.b64decode(images.data[0].b64_json))
`,
      { imports: 'import base64\nimport os' },
    ),
    typescript: openaiTypeScript(
      (model) => `const picture = createReadStream('picture.png');
const images = await client.images.edit({ model: ${model}, image: picture, prompt: 'The same at night' });
await writeFile('changed.png', Buffer.from(images.data?.[0]?.b64_json ?? '', 'base64'));
`,
      { imports: "import { createReadStream } from 'node:fs';\nimport { writeFile } from 'node:fs/promises';" },
    ),
  },
};
