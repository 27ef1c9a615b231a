import { CHAT_COMPLETIONS } from '../../../../schema/http/chat-completions.ts';
import { curl } from '../curl.ts';
import { openaiPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { openaiTypeScript } from '../typescript.ts';

const messages = [{ role: 'user', content: 'Hello, turnpike!' }];

export const chatCompletions: Snippet = {
  name: 'chat-completions',
  title: 'A chat completion',
  endpoint: CHAT_COMPLETIONS,
  model: 'sim/echo',
  code: {
    curl: curl({ path: CHAT_COMPLETIONS, json: (model) => ({ model, messages }) }),
    python: openaiPython(
      (model) => `completion = client.chat.completions.create(
    model=${model},
    messages=[{"role": "user", "content": "Hello, turnpike!"}],
)
print(completion.choices[0].message.content)
`,
    ),
    typescript: openaiTypeScript(
      (model) => `const completion = await client.chat.completions.create({
  model: ${model},
  messages: [{ role: 'user', content: 'Hello, turnpike!' }],
});
console.log(completion.choices[0]?.message.content);
`,
    ),
  },
};

export const chatCompletionsStream: Snippet = {
  name: 'chat-completions-stream',
  title: 'A chat completion, streamed',
  endpoint: CHAT_COMPLETIONS,
  model: 'sim/echo',
  code: {
    curl: curl({ path: CHAT_COMPLETIONS, flags: '-N', json: (model) => ({ model, stream: true, messages }) }),
    python: openaiPython(
      (model) => `stream = client.chat.completions.create(
    model=${model},
    messages=[{"role": "user", "content": "Hello, turnpike!"}],
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
`,
    ),
    typescript: openaiTypeScript(
      (model) => `const stream = await client.chat.completions.create({
  model: ${model},
  messages: [{ role: 'user', content: 'Hello, turnpike!' }],
  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '');
console.log();
`,
    ),
  },
};
