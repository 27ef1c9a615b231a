import { expect, test } from 'vitest';
import { parseMailEnvironment } from '../../../services/runtime/mail-environment.ts';

const parse = (url: string | undefined, from: string | undefined = 'turnpike@gateway.test') => {
  const problems: string[] = [];
  const mail = parseMailEnvironment({ TURNPIKE_SMTP_URL: url, TURNPIKE_SMTP_FROM: from }, problems);
  return { mail, problems };
};

test('without a server no mail is sent, and a sender without a server is a mistake', () => {
  expect(parseMailEnvironment({}, [])).toBeNull();
  expect(parse(undefined).problems).toEqual([
    'TURNPIKE_SMTP_URL: expected smtp://user:password@host:port, since TURNPIKE_SMTP_FROM is set',
  ]);
});

test('host, port, TLS and login are those of the URL, decoded; the ports are those of submission where none is given', () => {
  expect(parse('smtp://mail.test').mail).toEqual({
    host: 'mail.test',
    port: 587,
    tls: false,
    login: null,
    from: 'turnpike@gateway.test',
  });
  expect(parse('smtps://gate%40way:p%3Aw%2F@[::1]').mail).toMatchObject({
    host: '::1',
    port: 465,
    tls: true,
    login: { user: 'gate@way', password: 'p:w/' },
  });
  expect(parse('smtp://127.0.0.1:2525/').mail).toMatchObject({ port: 2525 });
});

test('what is no mail server is a mistake that does not show the password', () => {
  for (const url of [
    'https://u:recognizable@mail.test',
    'smtp://u@mail.test',
    'smtp://u:recognizable@',
    'smtp://mail.test/path',
    'smtp://mail.test?x=y',
    'smtp://%zz:recognizable@mail.test',
    'mail.test',
  ]) {
    const { mail, problems } = parse(url);
    expect([url, mail, problems.length, problems.join().includes('recognizable')]).toEqual([url, null, 1, false]);
  }
  for (const from of [undefined, '', 'nobody', 'A <a@b.test>', 'a@b.test, c@d.test'])
    expect(parse('smtp://mail.test', from ?? '').problems).toHaveLength(1);
});
