import type { ClientCode, ClientExtras } from './client-code.ts';
import type { WriteCode } from './snippet.ts';
import { pythonText } from './text-literal.ts';

function python(install: string, clientImport: string, client: (baseUrl: { origin: string; path: string }) => string) {
  return (code: ClientCode, { imports = 'import os', path = '/v1' }: ClientExtras = {}): WriteCode =>
    ({ origin, model }) =>
      `# pip install ${install}\n${imports}\n\n${clientImport}\n\n${client({ origin, path })}\n${code(pythonText(model))}`;
}

/** By OpenAI's client. */
export const openaiPython = python(
  'openai',
  'from openai import OpenAI',
  ({ origin, path }) => `client = OpenAI(base_url=${pythonText(origin + path)}, api_key=os.environ["TURNPIKE_KEY"])`,
);

/** By Anthropic's client. */
export const anthropicPython = python(
  'anthropic',
  'from anthropic import Anthropic',
  ({ origin }) => `client = Anthropic(base_url=${pythonText(origin)}, api_key=os.environ["TURNPIKE_KEY"])`,
);

/** By Google's client. */
export const googlePython = python(
  'google-genai',
  'from google import genai',
  ({ origin }) => `client = genai.Client(api_key=os.environ["TURNPIKE_KEY"], http_options={"base_url": ${pythonText(origin)}})`,
);
