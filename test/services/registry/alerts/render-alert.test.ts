import { expect, test } from 'vitest';
import type { AlertMessage } from '../../../../services/registry/alerts/alert-message.ts';
import { renderAlert } from '../../../../services/registry/alerts/render-alert.ts';

const reached: AlertMessage = {
  type: 'budget.threshold',
  at: new Date('2026-11-21T20:00:00Z'),
  alert: { id: 'alr_1' },
  budget: { id: 'bud_1', name: 'Checkout' },
  limit: { unit: 'usd', amount: '100' },
  threshold: '80',
  settled: '80.000000000001',
  held: '1.5',
  group: ['key_1'],
  windowStartsAt: new Date('2026-11-01T00:00:00Z'),
  windowEndsAt: new Date('2026-12-01T00:00:00Z'),
  projectedExhaustionAt: new Date('2026-11-26T12:00:00Z'),
};
const named = (name: string): AlertMessage => ({ ...reached, budget: { id: 'bud_1', name } });

test('a webhook gets type, timestamp and data, in this order, with exact decimals', () => {
  expect(renderAlert('webhook', reached)).toEqual({
    subject: null,
    body:
      '{"type":"budget.threshold","timestamp":"2026-11-21T20:00:00.000Z","data":{"alert":{"id":"alr_1"},"budget":{"id":"bud_1","name":"Checkout"},' +
      '"limit":{"unit":"usd","amount":"100"},"threshold":"80","settled":"80.000000000001","held":"1.5","group":["key_1"],' +
      '"windowStartsAt":"2026-11-01T00:00:00.000Z","windowEndsAt":"2026-12-01T00:00:00.000Z","projectedExhaustionAt":"2026-11-26T12:00:00.000Z"}}',
  });
});

test('Slack gets a text that says everything, and blocks', () => {
  const body = JSON.parse(renderAlert('slack', reached).body);
  expect(body.text).toBe(
    [
      '*Budget "Checkout" has come to 80% of 100 USD*',
      'Spent: 80.000000000001 USD since 2026-11-01T00:00:00.000Z',
      'Held beside it: 1.5 USD',
      'Of: key_1',
      'Used up, at this rate: 2026-11-26T12:00:00.000Z',
      'Resets: 2026-12-01T00:00:00.000Z',
      'Budget: bud_1',
      'Time: 2026-11-21T20:00:00.000Z',
    ].join('\n'),
  );
  expect(body.blocks[0]).toEqual({
    type: 'header',
    text: { type: 'plain_text', text: 'Budget "Checkout" has come to 80% of 100 USD', emoji: false },
  });
  expect(body.blocks[1].fields[0]).toEqual({ type: 'mrkdwn', text: '*Spent*\n80.000000000001 USD since 2026-11-01T00:00:00.000Z' });
});

test('a mail has one line of subject and a text', () => {
  const { subject, body } = renderAlert('email', reached);
  expect(subject).toBe('Budget "Checkout" has come to 80% of 100 USD');
  expect(body.split('\n').slice(0, 3)).toEqual([subject, '', 'Spent: 80.000000000001 USD since 2026-11-01T00:00:00.000Z']);
});

test('no name of a budget can call a Slack channel, make a link, or begin another line or header', () => {
  const slack = renderAlert('slack', named('<!channel> & <https://evil.invalid|click>')).body;
  expect(slack).toContain('&lt;!channel&gt; &amp; &lt;https://evil.invalid|click&gt;');
  const blocks = JSON.parse(slack).blocks;
  // A plain text is shown as it is.
  expect(blocks[0].text.type).toBe('plain_text');
  const { subject, body } = renderAlert('email', named('a\r\nBcc: victim@example.com\u0000'));
  expect(subject).toBe('Budget "a Bcc: victim@example.com " has come to 80% of 100 USD');
  expect(body).not.toMatch(/^Bcc/m);
});

test('the longest names stay within what Slack takes and a message may have', () => {
  const long = { ...named('<'.repeat(200)), group: Array.from({ length: 4 }, () => '<'.repeat(128)) } as AlertMessage;
  const slack = renderAlert('slack', long).body;
  const [header, section] = JSON.parse(slack).blocks;
  expect(header.text.text.length).toBeLessThanOrEqual(150);
  expect(section.fields.length).toBeLessThanOrEqual(10);
  for (const field of section.fields) expect(field.text.length).toBeLessThanOrEqual(2_000);
  for (const kind of ['webhook', 'slack', 'email'] as const) expect(Buffer.byteLength(renderAlert(kind, long).body)).toBeLessThan(20_000);
});

test('what a window or a forecast does not have is not told', () => {
  const { body } = renderAlert('email', { ...reached, group: null, windowStartsAt: null, windowEndsAt: null, projectedExhaustionAt: null });
  expect(body).not.toMatch(/Of:|Resets|at this rate|since/);
});

test('every other message can be told in every way', () => {
  const at = new Date('2026-11-21T20:00:00Z');
  const channel = { id: 'chn_1', name: 'On call', kind: 'webhook' } as const;
  const messages: AlertMessage[] = [
    { type: 'alert_channel.test', at, channel: { id: 'chn_1', name: 'On call' } },
    { type: 'alert_channel.disabled', at, channel, reason: 'undeliverable' },
  ];
  for (const message of messages) {
    expect(JSON.parse(renderAlert('webhook', message).body)).toMatchObject({ type: message.type, data: { channel: { name: 'On call' } } });
    expect(renderAlert('email', message).subject).toContain('"On call"');
  }
});
