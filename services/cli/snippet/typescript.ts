import type { ClientCode, ClientExtras } from './client-code.ts';
import type { WriteCode } from './snippet.ts';
import { typescriptText } from './text-literal.ts';

function typescript(install: string, clientImport: string, client: (baseUrl: { origin: string; path: string }) => string) {
  return (code: ClientCode, { imports, path = '/v1' }: ClientExtras = {}): WriteCode =>
    ({ origin, model }) => {
      const imported = imports === undefined ? clientImport : `${imports}\n${clientImport}`;
      return `// npm install ${install}\n${imported}\n\n${client({ origin, path })}\n${code(typescriptText(model))}`;
    };
}

/** By OpenAI's client. */
export const openaiTypeScript = typescript(
  'openai',
  "import OpenAI from 'openai';",
  ({ origin, path }) => `const client = new OpenAI({ baseURL: ${typescriptText(origin + path)}, apiKey: process.env.TURNPIKE_KEY });`,
);

/** By Anthropic's client. */
export const anthropicTypeScript = typescript(
  '@anthropic-ai/sdk',
  "import Anthropic from '@anthropic-ai/sdk';",
  ({ origin }) => `const client = new Anthropic({ baseURL: ${typescriptText(origin)}, apiKey: process.env.TURNPIKE_KEY });`,
);

/** By Google's client. */
export const googleTypeScript = typescript(
  '@google/genai',
  "import { GoogleGenAI } from '@google/genai';",
  ({ origin }) =>
    `const client = new GoogleGenAI({ apiKey: process.env.TURNPIKE_KEY, httpOptions: { baseUrl: ${typescriptText(origin)} } });`,
);
