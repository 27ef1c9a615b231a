/** How an alert reaches somebody: as a signed webhook, as a message to a Slack-shaped incoming webhook, or as an e-mail. */
export const ALERT_CHANNEL_KINDS = ['webhook', 'slack', 'email'] as const;
export type AlertChannelKind = (typeof ALERT_CHANNEL_KINDS)[number];

/**
 * Why a channel delivers nothing: a person stopped it, its receiver said it is gone (HTTP 410), or a message was given up and nothing had
 * got through meanwhile.
 */
export const CHANNEL_DISABLED_REASONS = ['by_hand', 'gone', 'undeliverable'] as const;
export type ChannelDisabledReason = (typeof CHANNEL_DISABLED_REASONS)[number];

/** What became of a delivery. `skipped`: its channel was disabled or archived before it went out. All but the first can be asked for again. */
export const ALERT_DELIVERY_STATES = ['pending', 'delivered', 'failed', 'skipped'] as const;
export type AlertDeliveryState = (typeof ALERT_DELIVERY_STATES)[number];
