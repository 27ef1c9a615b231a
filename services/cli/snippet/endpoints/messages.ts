import { MESSAGES } from '../../../../schema/http/messages.ts';
import { curl } from '../curl.ts';
import { anthropicPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { anthropicTypeScript } from '../typescript.ts';

const messages = [{ role: 'user', content: 'Hello, turnpike!' }];
const request = { path: MESSAGES, keyHeader: 'x-api-key', headers: ['anthropic-version: 2023-06-01'] };

export const messagesWhole: Snippet = {
  name: 'messages',
  title: "A message, in Anthropic's dialect",
  endpoint: MESSAGES,
  model: 'sim/echo',
  code: {
    curl: curl({ ...request, json: (model) => ({ model, max_tokens: 1024, messages }) }),
    python: anthropicPython(
      (model) => `message = client.messages.create(
    model=${model},
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello, turnpike!"}],
)
for block in message.content:
    if block.type == "text":
        print(block.text)
`,
    ),
    typescript: anthropicTypeScript(
      (model) => `const message = await client.messages.create({
  model: ${model},
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello, turnpike!' }],
});
for (const block of message.content) if (block.type === 'text') console.log(block.text);
`,
    ),
  },
};

export const messagesStream: Snippet = {
  name: 'messages-stream',
  title: "A message, in Anthropic's dialect, streamed",
  endpoint: MESSAGES,
  model: 'sim/echo',
  code: {
    curl: curl({ ...request, flags: '-N', json: (model) => ({ model, max_tokens: 1024, stream: true, messages }) }),
    python: anthropicPython(
      (model) => `with client.messages.stream(
    model=${model},
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello, turnpike!"}],
) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
print()
`,
    ),
    typescript: anthropicTypeScript(
      (model) => `const stream = client.messages.stream({
  model: ${model},
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello, turnpike!' }],
});
stream.on('text', (text) => process.stdout.write(text));
await stream.finalMessage();
console.log();
`,
    ),
  },
};
