import { createTransport } from 'nodemailer';
import type { MailEnvironment } from '../../runtime/mail-environment.ts';
import type { SendOutcome } from './send-outcome.ts';

export interface Mail {
  /** The same in every try: mail programs show one of two with the same. */
  readonly id: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

/** Sends one mail. Never throws but for `signal`. */
export interface MailSender {
  readonly send: (mail: Mail, signal: AbortSignal) => Promise<SendOutcome>;
}

const connectTimeoutMs = 5_000;
/** Everything together. */
const timeoutMs = 30_000;

/**
 * Sends through the installation's mail server, each mail on a connection of its own. A password leaves this machine over TLS only. Of the
 * server's answers only the code is kept.
 */
export function createMailSender(settings: MailEnvironment): MailSender {
  const { host, port, tls, login, from } = settings;
  const isLocal = host === 'localhost' || host === '::1' || host.startsWith('127.');
  const transport = createTransport({
    host,
    port,
    secure: tls,
    requireTLS: !tls && login !== null && !isLocal,
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    dnsTimeout: connectTimeoutMs,
    socketTimeout: timeoutMs,
    // What was said, was said: nobody waits for the server to hang up.
    socketCloseTimeout: 0,
    allowInternalNetworkInterfaces: true,
    ...(login === null ? {} : { auth: { user: login.user, pass: login.password } }),
  });
  const domain = from.slice(from.lastIndexOf('@') + 1);
  return {
    send: async (mail, signal) => {
      try {
        const sent = await transport.sendMail({
          from,
          to: [...mail.to],
          subject: mail.subject,
          text: mail.text,
          messageId: `<${mail.id}@${domain}>`,
          // RFC 3834: nobody's vacation notice should answer it.
          headers: { 'auto-submitted': 'auto-generated' },
          disableFileAccess: true,
          disableUrlAccess: true,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        });
        const refused = sent.rejected.length;
        // Another try would reach those again who have it.
        const note = refused === 0 ? null : `The mail server refused ${refused} of ${mail.to.length} recipients.`;
        return { kind: 'delivered', status: codeOf(sent.response), note };
      } catch (error) {
        signal.throwIfAborted();
        return outcomeOf(error);
      }
    },
  };
}

function outcomeOf(error: unknown): SendOutcome {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const status = error instanceof Error && 'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : null;
  const answered = status === null ? '' : ` (SMTP ${status})`;
  if (code === 'EENVELOPE' && status !== null) {
    return { kind: 'failed', status, error: `The mail server refused the recipients${answered}.`, retryAfterMs: null };
  }
  return { kind: 'not_sent', status, error: `${words[code] ?? 'The mail server did not take the mail'}${answered}.` };
}

const words: Readonly<Record<string, string>> = {
  EAUTH: 'The mail server refused the login',
  ETLS: 'The mail server offers no TLS, or none that can be trusted',
  ECONNECTION: 'The mail server could not be reached',
  ESOCKET: 'The mail server could not be reached',
  EDNS: 'The mail server could not be reached',
  ETIMEDOUT: 'The mail server did not answer in time',
  EABORT: 'The mail server did not answer in time',
};

function codeOf(response: string): number | null {
  return /^\d{3}/.test(response) ? Number(response.slice(0, 3)) : null;
}
