import type { Variables } from './variables.ts';

/** The mail server that this installation sends alerts through. Never log it whole: `login` is a secret. */
export type MailEnvironment = {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. Otherwise the connection is upgraded where the server offers it, and must be where a password goes over a network. */
  readonly tls: boolean;
  readonly login: { readonly user: string; readonly password: string } | null;
  /** The address that mails come from. */
  readonly from: string;
};

const address = /^[^\s@<>,;"]+@[^\s@<>,;"]+$/;
const ports = { 'smtp:': 587, 'smtps:': 465 } as const;

/**
 * Parses TURNPIKE_SMTP_URL and TURNPIKE_SMTP_FROM. Mistakes are pushed on `problems`; what is returned then is not to be used.
 * @returns null where neither is set: the installation sends no mail.
 */
export function parseMailEnvironment(variables: Variables, problems: string[]): MailEnvironment | null {
  const text = variables.TURNPIKE_SMTP_URL?.trim() || null;
  const from = variables.TURNPIKE_SMTP_FROM?.trim() || null;
  if (text === null) {
    if (from !== null) problems.push('TURNPIKE_SMTP_URL: expected smtp://user:password@host:port, since TURNPIKE_SMTP_FROM is set');
    return null;
  }
  if (from === null || !address.test(from)) {
    problems.push(
      `TURNPIKE_SMTP_FROM: expected the address that mails come from, found ${from === null ? 'nothing' : JSON.stringify(from)}`,
    );
  }
  const url = URL.parse(text);
  const protocol = url?.protocol;
  const user = decoded(url?.username ?? '');
  const password = decoded(url?.password ?? '');
  const isBare = url !== null && /^\/?$/.test(url.pathname) && url.search === '' && url.hash === '' && url.hostname !== '';
  const isLogin = user !== null && password !== null && (user === '') === (password === '');
  if (!isBare || !isLogin || (protocol !== 'smtp:' && protocol !== 'smtps:')) {
    problems.push(
      'TURNPIKE_SMTP_URL: expected smtp://host:port or smtps://host:port, with user:password@ where the server wants them (value not shown: it may hold a password)',
    );
    return null;
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? ports[protocol] : Number(url.port),
    tls: protocol === 'smtps:',
    login: user === '' ? null : { user, password },
    from: from ?? '',
  };
}

/** Null where a percent sign begins nothing. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
