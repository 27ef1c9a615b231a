import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and text, with bare newlines. */
  readonly data: string;
}

/** A mail server without TLS that keeps what it takes (RFC 5321, as much as a client needs). */
export type MailReceiver = AsyncDisposable & {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** Every command it was told, the login's secret among them. */
  readonly commands: readonly string[];
  /** Addresses that it refuses. */
  readonly refused: Set<string>;
};

export async function startMailReceiver(): Promise<MailReceiver> {
  const mails: ReceivedMail[] = [];
  const commands: string[] = [];
  const refused = new Set<string>();
  const sockets = new Set<Socket>();

  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    const say = (line: string): void => void socket.write(`${line}\r\n`);
    let rest = '';
    let lines: string[] | null = null;
    let from = '';
    let to: string[] = [];
    const obey = (line: string): void => {
      if (lines !== null) {
        if (line !== '.') {
          lines.push(line.replace(/^\./, ''));
          return;
        }
        mails.push({ from, to, data: lines.join('\n') });
        lines = null;
        say('250 2.0.0 kept');
        return;
      }
      commands.push(line);
      const [verb = ''] = line.toUpperCase().split(/[ :]/);
      const address = /<([^>]*)>/.exec(line)?.[1] ?? '';
      if (verb === 'EHLO') {
        say('250-mail.test');
        say('250 AUTH PLAIN');
      } else if (verb === 'AUTH') say('235 2.7.0 welcome');
      else if (verb === 'MAIL') {
        [from, to] = [address, []];
        say('250 2.1.0 ok');
      } else if (verb === 'RCPT' && refused.has(address)) say('550 5.1.1 nobody here');
      else if (verb === 'RCPT') {
        to.push(address);
        say('250 2.1.5 ok');
      } else if (verb === 'DATA') {
        lines = [];
        say('354 go on');
      } else if (verb === 'QUIT') socket.end('221 2.0.0 bye\r\n');
      else if (verb === 'STARTTLS') say('502 5.5.1 not here');
      else say('250 2.0.0 ok');
    };
    socket.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\r\n');
      rest = parts.pop() ?? '';
      parts.forEach(obey);
    });
    say('220 mail.test ESMTP');
  };

  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    commands,
    refused,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
