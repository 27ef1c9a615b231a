import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

/** One recorded exchange with a provider (the layout is described beside the recordings). */
export type ProviderRecording = {
  /** `provider/operation.…`, without the extension. */
  readonly name: string;
  /** Such as `/v1/messages`, with its query. */
  readonly path: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes of the answer; to the byte only for streams, since bodies were recorded as parsed JSON. */
  readonly bytes: Buffer;
  /** The raw events of a stream of server-sent events, which joined are its bytes; null for every other answer. */
  readonly events: readonly string[] | null;
};

const Shape = Type.Object({
  request: Type.Object({ path: Type.String(), body: Type.Unknown() }),
  response: Type.Object({
    status: Type.Integer(),
    headers: Type.Optional(Type.Record(Type.String(), Type.String())),
    body: Type.Optional(Type.Unknown()),
    sse: Type.Optional(Type.Array(Type.String())),
    ndjson: Type.Optional(Type.Array(Type.String())),
    base64: Type.Optional(Type.String()),
  }),
});

const folder = fileURLToPath(new URL('../fixtures/providers', import.meta.url));

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

function readRecording(file: string): ProviderRecording {
  const { request, response } = Value.Parse(Shape, JSON.parse(readFileSync(join(folder, file), 'utf8')));
  const body = request.body;
  return {
    name: file.slice(0, -'.json'.length),
    path: request.path.replace(/^<\w+>/, ''),
    request: typeof body === 'object' && body !== null ? Object.fromEntries(Object.entries(body)) : {},
    status: response.status,
    headers: { ...(response.ndjson === undefined ? {} : { 'content-type': 'application/x-ndjson' }), ...response.headers },
    bytes:
      response.base64 === undefined
        ? Buffer.from((response.sse ?? response.ndjson)?.join('') ?? JSON.stringify(response.body), 'utf8')
        : Buffer.from(response.base64, 'base64'),
    events: response.sse ?? null,
  };
}

/** Every recording of an operation in OpenAI's protocol, by how it is called in their names. */
export function recordingsOf(operation: string): readonly ProviderRecording[] {
  const ending = `${operation}.`;
  return files
    .filter((file) =>
      file
        .slice(file.indexOf('/') + 1)
        .replace(/^openai-compat\./, '')
        .startsWith(ending),
    )
    .map(readRecording);
}

/** Every recording of a provider. */
export function recordingsFrom(provider: string): readonly ProviderRecording[] {
  return files.filter((file) => file.startsWith(`${provider}/`) && file.endsWith('.json')).map(readRecording);
}

/** Every recorded chat completion in OpenAI's protocol. */
export const chatRecordings: readonly ProviderRecording[] = recordingsOf('chat.completions');

/** Every recorded exchange in OpenAI's Responses API, but for DeepSeek's own, which the gateway translates: it passes through alone. */
export const responsesRecordings: readonly ProviderRecording[] = files
  .filter((file) => /\/responses\..*\.json$/.test(file) && !file.startsWith('deepseek/'))
  .map(readRecording);

/** Every recording there is. */
export function allRecordings(): readonly ProviderRecording[] {
  return files.filter((file) => file.endsWith('.json')).map(readRecording);
}

/** The recording whose name begins so, of whatever protocol. */
export function providerRecording(name: string): ProviderRecording {
  const file = files.find((candidate) => candidate.startsWith(name));
  if (file === undefined) throw new Error(`no recording ${name}`);
  return readRecording(file);
}

export function chatRecording(name: string): ProviderRecording {
  const found = chatRecordings.find((recording) => recording.name.startsWith(name));
  if (found === undefined) throw new Error(`no recording ${name}`);
  return found;
}
