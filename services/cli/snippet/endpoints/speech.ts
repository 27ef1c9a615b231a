import { SPEECH } from '../../../../schema/http/speech.ts';
import { curl } from '../curl.ts';
import { openaiPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { openaiTypeScript } from '../typescript.ts';

export const speech: Snippet = {
  name: 'speech',
  title: 'A text, spoken',
  endpoint: SPEECH,
  model: 'openai/gpt-4o-mini-tts',
  code: {
    curl: curl({ path: SPEECH, flags: '-f -o speech.mp3', json: (model) => ({ model, voice: 'alloy', input: 'Hello, turnpike!' }) }),
    python: openaiPython(
      (model) => `with client.audio.speech.with_streaming_response.create(
    model=${model},
    voice="alloy",
    input="Hello, turnpike!",
) as speech:
    speech.stream_to_file("speech.mp3")
`,
    ),
    typescript: openaiTypeScript(
      (model) => `const speech = await client.audio.speech.create({ model: ${model}, voice: 'alloy', input: 'Hello, turnpike!' });
await writeFile('speech.mp3', Buffer.from(await speech.arrayBuffer()));
`,
      { imports: "import { writeFile } from 'node:fs/promises';" },
    ),
  },
};
