import { GENERATE_CONTENT } from '../../../../schema/http/generate-content.ts';
import { curl } from '../curl.ts';
import { googlePython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { googleTypeScript } from '../typescript.ts';

const keyHeader = 'x-goog-api-key';
const json = () => ({ contents: [{ role: 'user', parts: [{ text: 'Hello, turnpike!' }] }] });

/** Where Google's dialect asks a model. */
export function contentPath(model: string): string {
  return GENERATE_CONTENT + model.split('/').map(encodeURIComponent).join('/');
}

export const generateContent: Snippet = {
  name: 'generate-content',
  title: "Content, in Google's dialect",
  endpoint: GENERATE_CONTENT,
  model: 'sim/echo',
  code: {
    curl: curl({ path: (model) => `${contentPath(model)}:generateContent`, keyHeader, json }),
    python: googlePython(
      (model) => `response = client.models.generate_content(model=${model}, contents="Hello, turnpike!")
print(response.text)
`,
    ),
    typescript: googleTypeScript(
      (model) => `const response = await client.models.generateContent({ model: ${model}, contents: 'Hello, turnpike!' });
console.log(response.text);
`,
    ),
  },
};

export const generateContentStream: Snippet = {
  name: 'generate-content-stream',
  title: "Content, in Google's dialect, streamed",
  endpoint: GENERATE_CONTENT,
  model: 'sim/echo',
  code: {
    curl: curl({ path: (model) => `${contentPath(model)}:streamGenerateContent?alt=sse`, flags: '-N', keyHeader, json }),
    python: googlePython(
      (model) => `for chunk in client.models.generate_content_stream(model=${model}, contents="Hello, turnpike!"):
    print(chunk.text or "", end="", flush=True)
print()
`,
    ),
    typescript: googleTypeScript(
      (model) => `const stream = await client.models.generateContentStream({ model: ${model}, contents: 'Hello, turnpike!' });
for await (const chunk of stream) process.stdout.write(chunk.text ?? '');
console.log();
`,
    ),
  },
};
