import type { AlertChannelKind } from '../../../schema/values/alert-channel.ts';
import { RegistryError } from '../change.ts';

/** Where a channel's messages go, as it is asked for: a URL, or addresses of e-mail. */
export interface GivenTarget {
  readonly url: string | null;
  readonly recipients: readonly string[] | null;
}

const LONGEST_URL = 2_048;
const MOST_RECIPIENTS = 20;
const LONGEST_ADDRESS = 254;
/** One mailbox and nothing else: no name, no list, no quotes, no control characters. */
const ADDRESS = /^[^\s@<>()[\],;:"\\\p{Cc}]+@[^\s@<>()[\],;:"\\\p{Cc}]+$/u;

/**
 * What a row holds of a target. Whoever knows the URL of Slack may write there, so it is sealed whole, and its origin is what is shown.
 * @throws RegistryError `invalid`.
 */
export function checkedTarget(
  kind: AlertChannelKind,
  given: GivenTarget,
): { readonly url: string | null; readonly sealedUrl: string | null; readonly recipients: readonly string[] | null } {
  if (kind === 'email') {
    if (given.url !== null) throw new RegistryError('invalid', 'E-mail has recipients and no URL.', ['url']);
    return { url: null, sealedUrl: null, recipients: checkedRecipients(given.recipients ?? []) };
  }
  if (given.recipients !== null) throw new RegistryError('invalid', 'Only e-mail has recipients.', ['recipients']);
  const url = checkedUrl(given.url ?? '');
  return kind === 'slack'
    ? { url: url.origin, sealedUrl: url.href, recipients: null }
    : { url: url.href, sealedUrl: null, recipients: null };
}

function checkedUrl(text: string): URL {
  const url = text.length > LONGEST_URL ? null : URL.parse(text);
  const isPlain = url?.username === '' && url.password === '' && url.hash === '';
  if (url === null || !isPlain || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.href.length > LONGEST_URL) {
    throw new RegistryError('invalid', 'A URL is http or https, without user, password or fragment.', ['url']);
  }
  return url;
}

function checkedRecipients(recipients: readonly string[]): readonly string[] {
  const addresses = [...new Set(recipients.map((address) => address.trim()))];
  if (addresses.length < 1 || addresses.length > MOST_RECIPIENTS) {
    throw new RegistryError('invalid', `E-mail has 1 to ${MOST_RECIPIENTS} recipients.`, ['recipients']);
  }
  if (!addresses.every((address) => address.length <= LONGEST_ADDRESS && ADDRESS.test(address))) {
    throw new RegistryError('invalid', 'A recipient is one address such as oncall@example.com.', ['recipients']);
  }
  return addresses;
}
