import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../harness/eventually.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { answerJson, completion, openStream, startScriptedUpstream, textEvent } from '../../harness/scripted-upstream.ts';

const Ready = Type.Object({ url: Type.String(), key: Type.String() });
const mib = 1024 * 1024;
/** What Node, our code and what V8 lets lie before it collects take up (README, "Limits"). */
const baseBytes = 384 * mib;
const bytesPerConnection = 24 * 1024;
const bytesPerStream = 128 * 1024;

/** Where the kernel tells what a process has. */
const isLinux = process.platform === 'linux';

async function residentBytes(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** The most that a process ever had, or had since {@link forgetPeak}. */
async function peakBytes(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function forgetPeak(child: ChildProcess): Promise<void> {
  await writeFile(`/proc/${child.pid}/clear_refs`, '5');
}

/** A provider of three dialects that keeps nothing of what it is sent. @param onBody told how long each body was. */
async function startSwallower(onBody: (bytes: number) => void): Promise<Pick<ScriptedUpstream, 'baseUrl' | typeof Symbol.asyncDispose>> {
  const answers: readonly (readonly [path: string, answer: unknown])[] = [
    [
      '/messages',
      { type: 'message', role: 'assistant', content: [], stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } },
    ],
    [':generateContent', { candidates: [{ content: { parts: [{ text: 'Yes.' }] }, finishReason: 'STOP' }], usageMetadata: {} }],
    ['/transcriptions', { text: 'hello', usage: { type: 'duration', seconds: 60 } }],
    ['', completion()],
  ];
  const server = createServer((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      onBody(bytes);
      answerJson(response, answers.find(([path]) => request.url?.endsWith(path))?.[1]);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    baseUrl: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/v1`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function openFiles(): Promise<number> {
  return Number(/^Max open files +(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1]);
}

async function startWithScript(limits: Readonly<Record<string, number>>) {
  const upstream = await startScriptedUpstream((response) => answerJson(response, completion()));
  return { upstream, ...(await startAlone(limits, upstream)) };
}

async function startAlone(
  limits: Readonly<Record<string, number>>,
  upstream: Pick<ScriptedUpstream, 'baseUrl' | typeof Symbol.asyncDispose>,
) {
  const child = fork(fileURLToPath(new URL('./memory-process.ts', import.meta.url)), [upstream.baseUrl, JSON.stringify(limits)], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    await upstream[Symbol.asyncDispose]();
  });
  const [message] = await once(child, 'message', { signal: AbortSignal.timeout(60_000) });
  const { url, key } = Value.Parse(Ready, message);
  const { hostname, port } = new URL(url);
  return {
    child,
    dial: async (): Promise<Socket> => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      sockets.push(socket);
      socket.on('error', () => {});
      await once(socket, 'connect');
      return socket;
    },
    head: (contentLength: number, path = '/v1/chat/completions', type = 'application/json'): string =>
      `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: ${type}\r\n` +
      `content-length: ${contentLength}\r\n\r\n`,
    chat: () =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'acme/fast', messages: [{ role: 'user', content: 'hello' }] }),
      }),
  };
}

describe.skipIf(!isLinux)('memory of a proxy', () => {
  test('10,000 connections that say nothing cost 24 KiB each, and requests are served as ever', { timeout: 60_000 }, async () => {
    // Both ends have a process of their own, so each needs one file a connection.
    const count = Math.min(10_000, (await openFiles()) - 1_000);
    const { child, dial, chat } = await startWithScript({});
    expect((await chat()).status).toBe(200);
    const before = await residentBytes(child);
    for (let dialed = 0; dialed < count; dialed += 500) await Promise.all(Array.from({ length: 500 }, dial));
    expect((await chat()).status).toBe(200);
    const after = await residentBytes(child);
    console.log(`${count} idle connections: ${Math.round(before / mib)} MiB before, ${Math.round(after / mib)} MiB after`);
    expect(after - before).toBeLessThan(count * bytesPerConnection);
  });

  test('1,000 streams under way cost 128 KiB each', { timeout: 60_000 }, async () => {
    const { child, upstream, dial, head, chat } = await startWithScript({});
    expect((await chat()).status).toBe(200);
    const before = await residentBytes(child);
    upstream.script = (response) => {
      openStream(response);
      response.write(textEvent('and so on'));
    };
    const request = JSON.stringify({ model: 'acme/fast', stream: true, messages: [{ role: 'user', content: 'on and on' }] });
    let begun = 0;
    const begin = async (): Promise<void> => {
      const socket = await dial();
      socket.once('data', () => {
        begun += 1;
      });
      socket.write(head(request.length) + request);
    };
    for (let batch = 0; batch < 10; batch += 1) await Promise.all(Array.from({ length: 100 }, begin));
    await eventually(() => begun === 1_000);
    const after = await residentBytes(child);
    console.log(`1,000 streams: ${Math.round(before / mib)} MiB before, ${Math.round(after / mib)} MiB under way`);
    expect(after - before).toBeLessThan(begun * bytesPerStream);
  });

  test('bodies offered at ten times the bound on bytes take up no more than three times that bound, and are refused', {
    timeout: 60_000,
  }, async () => {
    const maxHeldBytes = 64 * mib;
    const bodyBytes = 16 * mib;
    const { child, dial, head, chat } = await startWithScript({ maxHeldBytes });
    let most = 0;
    let measuring = true;
    const measured = (async () => {
      while (measuring) {
        most = Math.max(most, await residentBytes(child).catch(() => 0));
        await new Promise<void>((resolve) => setTimeout(resolve, 20));
      }
    })();
    const opening = '{"model":"acme/fast","messages":[{"role":"user","content":"';
    const piece = Buffer.alloc(256 * 1024, 'x');
    const statuses: string[] = [];
    const offer = async (): Promise<void> => {
      const socket = await dial();
      let heard = '';
      socket.on('data', (part) => {
        heard += part.toString('latin1');
      });
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(head(bodyBytes) + opening);
      for (let sent = opening.length; sent < bodyBytes && heard === '' && socket.writable; ) {
        const rest = Math.min(piece.length, bodyBytes - sent);
        // The last of it closes the text.
        const bytes = sent + rest < bodyBytes ? piece : Buffer.concat([piece.subarray(0, rest - 4), Buffer.from('"}]}')]);
        sent += rest;
        if (!socket.write(bytes)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
      }
      await eventually(() => heard.length > 12 || socket.destroyed);
      statuses.push(heard.slice(9, 12));
      socket.destroy();
    };
    await Promise.all(Array.from({ length: 40 }, offer));
    measuring = false;
    await measured;
    console.log(`40 bodies of 16 MiB at a bound of 64 MiB: at most ${Math.round(most / mib)} MiB resident; answered ${statuses.sort()}`);
    expect(statuses).toContain('503');
    expect(most).toBeLessThan(baseBytes + 3 * maxHeldBytes);
    await eventually(async () => (await chat()).status === 200);
  });

  test('what is uploaded takes its own size and little more, native or translated, one after another too', {
    timeout: 120_000,
  }, async () => {
    const megabyte = 1_000_000;
    const soundBytes = 25 * mib;
    const sound = Buffer.concat([
      Buffer.from('--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nacme/fast\r\n'),
      Buffer.from('--b\r\ncontent-disposition: form-data; name="file"; filename="s.mp3"\r\n\r\n'),
      Buffer.alloc(soundBytes, 0x41),
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const pdfBytes = 20 * megabyte;
    const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(pdfBytes - 9, 'page after page ')]).toString('base64');
    const question = { type: 'text', text: 'What does it say?' };
    const document = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: pdf } };
    const file = { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${pdf}` } };
    const json = 'application/json';
    const chatOf = (model: string) => ({ model, messages: [{ role: 'user', content: [file, question] }] });
    const message = { model: 'anthropic/fast', max_tokens: 9, messages: [{ role: 'user', content: [document, question] }] };
    const content = { contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'application/pdf', data: pdf } }] }] };
    const uploads: readonly (readonly [name: string, path: string, type: string, body: unknown, bytes: number])[] = [
      ['25 MiB of sound', '/v1/audio/transcriptions', 'multipart/form-data; boundary=b', sound, soundBytes],
      ['PDF in a message', '/v1/messages', json, message, pdfBytes],
      ['PDF in a chat that becomes a message', '/v1/chat/completions', json, chatOf('anthropic/fast'), pdfBytes],
      ['PDF in a chat that becomes content of Google', '/v1/chat/completions', json, chatOf('gemini/fast'), pdfBytes],
      ['PDF in content of Google', '/v1beta/models/gemini%2Ffast:generateContent', json, content, pdfBytes],
    ];
    const swallowed: number[] = [];
    const swallower = await startSwallower((length) => swallowed.push(length));
    const { child, head, chat, dial } = await startAlone({}, swallower);
    for (let warm = 0; warm < 50; warm++) expect((await chat()).status).toBe(200);
    const before = await residentBytes(child);
    for (const [name, path, type, asked, bytes] of uploads) {
      const body = Buffer.isBuffer(asked) ? asked : Buffer.from(JSON.stringify(asked));
      const rises: number[] = [];
      for (let times = 0; times < 2; times += 1) {
        await forgetPeak(child);
        const socket = await dial();
        let answer = '';
        socket.on('data', (data) => {
          answer += data.toString('latin1');
        });
        socket.write(head(body.length, path, type));
        socket.write(body);
        await eventually(() => answer.includes('\r\n\r\n'), 30_000);
        expect(answer).toMatch(/^HTTP\/1.1 200/);
        expect(swallowed.at(-1)).toBeGreaterThan(bytes);
        rises.push((await peakBytes(child)) - before);
      }
      console.log(`${name}, twice: ${rises.map((rise) => (rise / megabyte).toFixed(1)).join(', ')} MB more at the most`);
      expect(Math.max(...rises)).toBeLessThan(2 * bytes);
    }
  });
});
