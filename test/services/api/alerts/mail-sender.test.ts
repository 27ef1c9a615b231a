import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMailSender } from '../../../../services/api/alerts/mail-sender.ts';
import type { MailReceiver } from '../../../harness/mail-receiver.ts';
import { startMailReceiver } from '../../../harness/mail-receiver.ts';

let receiver: MailReceiver;
beforeAll(async () => {
  receiver = await startMailReceiver();
});
afterAll(() => receiver[Symbol.asyncDispose]());

const never = new AbortController().signal;
const server = (host = '127.0.0.1') => ({ host, port: receiver.port, tls: false, login: null, from: 'turnpike@gateway.test' });
const mail = { id: 'dlv_1', to: ['one@example.test', 'two@example.test'], subject: 'Budget "Büro" is at 80%', text: 'Spent: 80 USD\n.\n' };

test('a mail arrives with its subject, its text, an id that stays the same, and a word that nobody should answer', async () => {
  const before = receiver.mails.length;
  expect(await createMailSender(server()).send(mail, never)).toEqual({ kind: 'delivered', status: 250, note: null });
  const [received] = receiver.mails.slice(before);
  expect(received).toMatchObject({ from: 'turnpike@gateway.test', to: mail.to });
  const data = received?.data ?? '';
  expect(data).toMatch(/^Message-ID: <dlv_1@gateway\.test>$/m);
  expect(data).toMatch(/^Auto-Submitted: auto-generated$/im);
  const subject = /^Subject: =\?UTF-8\?[QB]\?/m.test(data);
  expect([subject, data.slice(data.indexOf('\n\n')).trim()]).toEqual([true, 'Spent: 80 USD\n.']);
});

test('where some of the recipients are refused it is delivered, once, and says so', async () => {
  receiver.refused.add('two@example.test');
  expect(await createMailSender(server()).send(mail, never)).toEqual({
    kind: 'delivered',
    status: 250,
    note: 'The mail server refused 1 of 2 recipients.',
  });
  expect(receiver.mails.at(-1)?.to).toEqual(['one@example.test']);
  expect(await createMailSender(server()).send({ ...mail, to: ['two@example.test'] }, never)).toMatchObject({
    kind: 'failed',
    status: 550,
    error: 'The mail server refused the recipients (SMTP 550).',
  });
});

test('a mail server that is away is not the fault of a channel', async () => {
  expect(await createMailSender({ ...server(), port: 1 }).send(mail, never)).toEqual({
    kind: 'not_sent',
    status: null,
    error: 'The mail server could not be reached.',
  });
});

test('a password goes to this machine in plain, and over a network only with TLS', async () => {
  const login = { user: 'gateway', password: 'recognizable' };
  const told = () => receiver.commands.filter((command) => command.includes(Buffer.from('\0gateway\0recognizable').toString('base64')));
  expect(await createMailSender({ ...server(), login }).send(mail, never)).toMatchObject({ kind: 'delivered' });
  expect(told()).toHaveLength(1);
  // As good as another machine: an address that is not the loopback's.
  expect(await createMailSender({ ...server('0.0.0.0'), login }).send(mail, never)).toMatchObject({ kind: 'not_sent' });
  expect(told()).toHaveLength(1);
});
