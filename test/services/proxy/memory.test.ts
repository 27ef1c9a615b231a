import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../harness/eventually.ts';
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

async function openFiles(): Promise<number> {
  return Number(/^Max open files +(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1]);
}

async function startAlone(limits: Readonly<Record<string, number>>) {
  const upstream = await startScriptedUpstream((response) => answerJson(response, completion()));
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
    upstream,
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
    const { child, dial, chat } = await startAlone({});
    expect((await chat()).status).toBe(200);
    const before = await residentBytes(child);
    for (let dialed = 0; dialed < count; dialed += 500) await Promise.all(Array.from({ length: 500 }, dial));
    expect((await chat()).status).toBe(200);
    const after = await residentBytes(child);
    console.log(`${count} idle connections: ${Math.round(before / mib)} MiB before, ${Math.round(after / mib)} MiB after`);
    expect(after - before).toBeLessThan(count * bytesPerConnection);
  });

  test('1,000 streams under way cost 128 KiB each', { timeout: 60_000 }, async () => {
    const { child, upstream, dial, head, chat } = await startAlone({});
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
    const { child, dial, head, chat } = await startAlone({ maxHeldBytes });
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

  test('a sound of 25 MiB takes its size twice while it passes, as it came and in one piece, and no third time', {
    timeout: 60_000,
  }, async () => {
    const { child, upstream, dial, head, chat } = await startAlone({});
    for (let warm = 0; warm < 50; warm++) expect((await chat()).status).toBe(200);
    upstream.script = (response) => answerJson(response, { text: 'hello', usage: { type: 'duration', seconds: 60 } });
    const field = '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nacme/fast\r\n';
    const file = '--b\r\ncontent-disposition: form-data; name="file"; filename="s.mp3"\r\n\r\n';
    const form = Buffer.concat([Buffer.from(field + file), Buffer.alloc(25 * mib, 0x41), Buffer.from('\r\n--b--\r\n')]);
    const before = await residentBytes(child);
    const socket = await dial();
    let most = before;
    let answer = '';
    socket.on('data', (data) => {
      answer += data.toString();
    });
    socket.write(head(form.length, '/v1/audio/transcriptions', 'multipart/form-data; boundary=b'));
    socket.write(form);
    await eventually(async () => {
      most = Math.max(most, await residentBytes(child));
      return answer.includes('"text":"hello"') || undefined;
    }, 30_000);
    most = Math.max(most, await residentBytes(child));
    expect(answer).toMatch(/^HTTP\/1.1 200/);
    console.log(`25 MiB of sound: ${Math.round((most - before) / mib)} MiB more at the most`);
    expect(most - before).toBeLessThan(2.6 * 25 * mib);
  });
});
