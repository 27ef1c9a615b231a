import type { AlertChannelKind, ChannelDisabledReason } from '../../../schema/values/alert-channel.ts';
import type { BudgetUnit } from '../../../schema/values/budget.ts';

/** A channel as messages name it; the id in text form. */
export interface NamedChannel {
  readonly id: string;
  readonly name: string;
}

/** A threshold of a budget that was come to. Ids in text form; amounts are decimals in whole units. */
export interface ThresholdReached {
  readonly alert: { readonly id: string };
  readonly budget: { readonly id: string; readonly name: string };
  readonly limit: { readonly unit: BudgetUnit; readonly amount: string };
  /** Percent of the limit, a decimal. */
  readonly threshold: string;
  /** What was settled in the window, and what was held beside it, for requests in flight and room that proxies have leased. */
  readonly settled: string;
  readonly held: string;
  /** The values of what the budget groups by; null where it does not group, or where they are too long. */
  readonly group: readonly string[] | null;
  /** Null: such a window has no beginning or no end. */
  readonly windowStartsAt: Date | null;
  readonly windowEndsAt: Date | null;
  /** Null: not in this window at the rate so far, or not known. */
  readonly projectedExhaustionAt: Date | null;
}

/** What channels are told. */
export type AlertMessage =
  | ({ readonly type: 'budget.threshold'; readonly at: Date } & ThresholdReached)
  | { readonly type: 'alert_channel.test'; readonly at: Date; readonly channel: NamedChannel }
  | {
      readonly type: 'alert_channel.disabled';
      readonly at: Date;
      readonly channel: NamedChannel & { readonly kind: AlertChannelKind };
      readonly reason: ChannelDisabledReason;
    };

/** A message for people: a line that says it all, and what belongs to it by name. */
export interface AlertWords {
  readonly title: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
}

/** The payload of a webhook (Standard Webhooks 1.0.0): the same members in the same order for the same message. */
export function alertPayload(message: AlertMessage): {
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
} {
  const { type, at, ...data } = message;
  return { type, timestamp: at.toISOString(), data };
}

const why: Readonly<Record<ChannelDisabledReason, string>> = {
  by_hand: 'Somebody disabled it.',
  gone: 'Its receiver answered that it is gone (HTTP 410).',
  undeliverable: 'A message was given up after 8 tries in 24 hours, and nothing got through meanwhile.',
};

export function alertWords(message: AlertMessage): AlertWords {
  const at = ['Time', message.at.toISOString()] as const;
  switch (message.type) {
    case 'budget.threshold':
      return thresholdWords(message, at);
    case 'alert_channel.test':
      return { title: `Test of the alert channel "${message.channel.name}"`, facts: [['Meaning', 'Alerts reach you here.'], at] };
    case 'alert_channel.disabled':
      return {
        title: `The alert channel "${message.channel.name}" is disabled`,
        facts: [
          ['Why', why[message.reason]],
          ['To do', 'Mend its receiver and enable it with alertChannelUpdate; what it missed is sent again with webhookRedeliver.'],
          ['Channel', `${message.channel.id} (${message.channel.kind})`],
          at,
        ],
      };
    default:
      return message satisfies never;
  }
}

function thresholdWords(reached: ThresholdReached, at: AlertWords['facts'][number]): AlertWords {
  const { budget, limit, threshold, settled, held, group, windowStartsAt, windowEndsAt, projectedExhaustionAt } = reached;
  const unit = units[limit.unit];
  const since = windowStartsAt === null ? '' : ` since ${windowStartsAt.toISOString()}`;
  const until = windowEndsAt === null ? [] : [['Resets', windowEndsAt.toISOString()] as const];
  const forecast = projectedExhaustionAt === null ? [] : [['Used up, at this rate', projectedExhaustionAt.toISOString()] as const];
  return {
    title: `Budget "${budget.name}" has come to ${threshold}% of ${limit.amount} ${unit}`,
    facts: [
      ['Spent', `${settled} ${unit}${since}`],
      ['Held beside it', `${held} ${unit}`],
      ...(group === null ? [] : [['Of', group.join(', ')] as const]),
      ...forecast,
      ...until,
      ['Budget', budget.id],
      at,
    ],
  };
}

const units: Readonly<Record<BudgetUnit, string>> = { usd: 'USD', tokens: 'tokens', requests: 'requests' };
