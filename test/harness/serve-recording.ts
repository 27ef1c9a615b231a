import type { ServerResponse } from 'node:http';
import type { ProviderRecording } from './provider-recordings.ts';
import type { ScriptedUpstream } from './scripted-upstream.ts';
import { seededRandom } from './seeded-random.ts';

const PIECES = 12;

/** Answers the next requests with a recording, its bytes cut wherever chance has it. */
export function serveRecording(upstream: ScriptedUpstream, recording: ProviderRecording): void {
  upstream.script = recordingScript(recording);
}

/** Answers a request with a recording, in the same way. */
export function recordingScript(recording: ProviderRecording): ScriptedUpstream['script'] {
  const { below } = seededRandom(recording.bytes.length);
  const contentType = recording.headers['content-type'] ?? (recording.events === null ? 'application/json' : 'text/event-stream');
  const { 'retry-after': retryAfter, 'x-amzn-errortype': errorType } = recording.headers;
  return (response) => {
    response.writeHead(recording.status, {
      'content-type': contentType,
      ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
      ...(errorType === undefined ? {} : { 'x-amzn-errortype': errorType }),
    });
    return writeInPieces(response, recording.bytes, below);
  };
}

/** The bytes in pieces that end inside of characters and line ends too; each is a write of its own. */
async function writeInPieces(response: ServerResponse, bytes: Buffer, below: (limit: number) => number): Promise<void> {
  const cuts = Array.from({ length: PIECES }, () => below(bytes.length + 1)).sort((left, right) => left - right);
  response.socket?.setNoDelay();
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut > from) await new Promise((resolve) => response.write(bytes.subarray(from, cut), resolve));
    from = cut;
  }
  response.end();
}
