import type { ServerResponse } from 'node:http';
import { constants, createGzip } from 'node:zlib';

/** Where the bytes of one answer go: the response itself, in pieces if need be, or a compressor before it. */
export type BodySink = {
  /** Writes; returns false when the client is behind, and then calls `resume` once it has caught up. */
  readonly write: (text: string, resume: () => void) => boolean;
  /** Writes the last text and ends the body in good order. */
  readonly end: (text: string) => void;
  /** Calls back once everything written has left the process, so that a connection can be broken after it. */
  readonly flush: (flushed: () => void) => void;
};

function plainSink(response: ServerResponse): BodySink {
  return {
    write: (text, resume) => {
      if (response.write(text)) return true;
      response.once('drain', resume);
      return false;
    },
    end: (text) => {
      response.end(text);
    },
    flush: (flushed) => {
      if (!response.headersSent) response.flushHeaders();
      // An empty write calls back in its turn, after all that were made before it.
      response.write('', () => flushed());
    },
  };
}

/** Every piece is an HTTP chunk of its own, which no reader's parser joins again. */
function splitSink(response: ServerResponse, splitBytes: number): BodySink {
  const plain = plainSink(response);
  const writePieces = (text: string): boolean => {
    const bytes = Buffer.from(text);
    let flowing = true;
    for (let from = 0; from < bytes.length; from += splitBytes) flowing = response.write(bytes.subarray(from, from + splitBytes));
    return flowing;
  };
  return {
    write: (text, resume) => {
      if (writePieces(text)) return true;
      response.once('drain', resume);
      return false;
    },
    end: (text) => {
      writePieces(text);
      response.end();
    },
    flush: plain.flush,
  };
}

/** Compressed, but flushed after every write: an event must not wait in the compressor for the next one. */
function gzipSink(response: ServerResponse): BodySink {
  const gzip = createGzip();
  gzip.pipe(response);
  response.once('close', () => gzip.destroy());
  return {
    write: (text, resume) => {
      gzip.write(text);
      gzip.flush(constants.Z_SYNC_FLUSH, resume);
      return false;
    },
    end: (text) => {
      gzip.end(text);
    },
    flush: (flushed) => {
      gzip.flush(constants.Z_SYNC_FLUSH, () => {
        response.write('', () => flushed());
      });
    },
  };
}

/** The sink for a response whose headers are about to be sent. Splitting is not combined with compression. */
export function openBodySink(response: ServerResponse, gzip: boolean, splitBytes: number | null): BodySink {
  if (gzip) return gzipSink(response);
  return splitBytes === null ? plainSink(response) : splitSink(response, splitBytes);
}
