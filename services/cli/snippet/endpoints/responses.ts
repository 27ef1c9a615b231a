import { RESPONSES } from '../../../../schema/http/responses.ts';
import { curl } from '../curl.ts';
import { openaiPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { openaiTypeScript } from '../typescript.ts';

const input = 'Hello, turnpike!';

export const responses: Snippet = {
  name: 'responses',
  title: 'A response',
  endpoint: RESPONSES,
  model: 'sim/echo',
  code: {
    curl: curl({ path: RESPONSES, json: (model) => ({ model, input }) }),
    python: openaiPython(
      (model) => `response = client.responses.create(model=${model}, input="Hello, turnpike!")
print(response.output_text)
`,
    ),
    typescript: openaiTypeScript(
      (model) => `const response = await client.responses.create({ model: ${model}, input: 'Hello, turnpike!' });
console.log(response.output_text);
`,
    ),
  },
};

export const responsesStream: Snippet = {
  name: 'responses-stream',
  title: 'A response, streamed',
  endpoint: RESPONSES,
  model: 'sim/echo',
  code: {
    curl: curl({ path: RESPONSES, flags: '-N', json: (model) => ({ model, stream: true, input }) }),
    python: openaiPython(
      (model) => `stream = client.responses.create(model=${model}, input="Hello, turnpike!", stream=True)
for event in stream:
    if event.type == "response.output_text.delta":
        print(event.delta, end="", flush=True)
print()
`,
    ),
    typescript: openaiTypeScript(
      (model) => `const stream = await client.responses.create({ model: ${model}, input: 'Hello, turnpike!', stream: true });
for await (const event of stream) {
  if (event.type === 'response.output_text.delta') process.stdout.write(event.delta);
}
console.log();
`,
    ),
  },
};
