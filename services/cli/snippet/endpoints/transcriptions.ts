import { TRANSCRIPTIONS, TRANSLATIONS } from '../../../../schema/http/audio.ts';
import { curl } from '../curl.ts';
import { openaiPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { openaiTypeScript } from '../typescript.ts';

/** What is heard, in its own language or in English: they differ in nothing else. */
function heard(resource: 'transcriptions' | 'translations', told: Pick<Snippet, 'title' | 'endpoint' | 'model'>): Snippet {
  return {
    name: resource,
    ...told,
    code: {
      curl: curl({ path: told.endpoint, file: 'file=@speech.mp3', form: (model) => ({ model }) }),
      python: openaiPython(
        (model) => `with open("speech.mp3", "rb") as file:
    heard = client.audio.${resource}.create(model=${model}, file=file)
print(heard.text)
`,
      ),
      typescript: openaiTypeScript(
        (model) => `const heard = await client.audio.${resource}.create({ model: ${model}, file: createReadStream('speech.mp3') });
console.log(heard.text);
`,
        { imports: "import { createReadStream } from 'node:fs';" },
      ),
    },
  };
}

export const transcriptions = heard('transcriptions', {
  title: 'What is said in a recording',
  endpoint: TRANSCRIPTIONS,
  model: 'openai/gpt-4o-mini-transcribe',
});

export const translations = heard('translations', {
  title: 'What is said in a recording, in English',
  endpoint: TRANSLATIONS,
  model: 'openai/whisper-1',
});
