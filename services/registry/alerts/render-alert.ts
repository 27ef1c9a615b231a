import type { AlertChannelKind } from '../../../schema/values/alert-channel.ts';
import type { AlertMessage, AlertWords } from './alert-message.ts';
import { alertPayload, alertWords } from './alert-message.ts';

/** What is sent, to the byte; a subject where it is an e-mail. */
export interface RenderedAlert {
  readonly subject: string | null;
  readonly body: string;
}

/** Slack refuses a longer header. */
const LONGEST_HEADER = 150;
/** Slack refuses a longer field, and more than ten. */
const LONGEST_FIELD = 1_900;
const MOST_FIELDS = 10;
/** RFC 5322 section 2.1.1 wants lines of at most 78 characters, folded; a longer subject helps nobody. */
const LONGEST_SUBJECT = 200;

/** A message as its kind of channel gets it. Pure: the same message gives the same bytes. */
export function renderAlert(kind: AlertChannelKind, message: AlertMessage): RenderedAlert {
  switch (kind) {
    case 'webhook':
      return { subject: null, body: JSON.stringify(alertPayload(message)) };
    case 'slack':
      return { subject: null, body: JSON.stringify(slackMessage(alertWords(message))) };
    case 'email':
      return mailOf(alertWords(message));
    default:
      return kind satisfies never;
  }
}

/**
 * For Slack's incoming webhooks and what imitates them: `text` says everything, for notifications and for imitators that know nothing else;
 * `blocks` is how Slack itself shows it.
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
function slackMessage({ title, facts }: AlertWords) {
  const fields = facts.slice(0, MOST_FIELDS).map(([label, value]) => ({
    type: 'mrkdwn',
    text: `*${inSlack(label)}*\n${cut(inSlack(value), LONGEST_FIELD)}`,
  }));
  return {
    text: [`*${inSlack(title)}*`, ...facts.map(([label, value]) => `${inSlack(label)}: ${inSlack(value)}`)].join('\n'),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(oneLine(title), LONGEST_HEADER), emoji: false } },
      { type: 'section', fields },
    ],
  };
}

function mailOf({ title, facts }: AlertWords): RenderedAlert {
  const lines = facts.map(([label, value]) => `${label}: ${oneLine(value)}`);
  return { subject: cut(oneLine(title), LONGEST_SUBJECT), body: `${[oneLine(title), '', ...lines].join('\n')}\n` };
}

/** The three characters with which Slack's mentions and links are made, so that no name can call a whole channel. */
function inSlack(text: string): string {
  return oneLine(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Names come from people: a control character in one must not begin another line, or another header. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
