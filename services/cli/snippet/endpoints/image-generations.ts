import { IMAGE_GENERATIONS } from '../../../../schema/http/images.ts';
import { curl } from '../curl.ts';
import { openaiPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { openaiTypeScript } from '../typescript.ts';

export const imageGenerations: Snippet = {
  name: 'image-generations',
  title: 'A picture',
  endpoint: IMAGE_GENERATIONS,
  model: 'sim/echo',
  code: {
    curl: curl({ path: IMAGE_GENERATIONS, flags: '-f -o picture.json', json: (model) => ({ model, prompt: 'A turnpike at dawn' }) }),
    python: openaiPython(
      (model) => `images = client.images.generate(model=${model}, prompt="A turnpike at dawn")
with open("picture.png", "wb") as file:
    file.write(base64.b64decode(images.data[0].b64_json))
`,
      { imports: 'import base64\nimport os' },
    ),
    typescript: openaiTypeScript(
      (model) => `const images = await client.images.generate({ model: ${model}, prompt: 'A turnpike at dawn' });
await writeFile('picture.png', Buffer.from(images.data?.[0]?.b64_json ?? '', 'base64'));
`,
      { imports: "import { writeFile } from 'node:fs/promises';" },
    ),
  },
};
