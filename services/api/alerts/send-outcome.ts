/** How one try to send a message ended. Texts are ours, never the receiver's, and hold no secret. */
export type SendOutcome =
  | { readonly kind: 'delivered'; readonly status: number | null; readonly note: string | null }
  /** It may get through another time. */
  | { readonly kind: 'failed'; readonly status: number | null; readonly error: string; readonly retryAfterMs: number | null }
  /** The same, but it is the installation's own mail server that is at fault, for which no channel is disabled. */
  | { readonly kind: 'not_sent'; readonly status: number | null; readonly error: string }
  /** The receiver wants nothing any more. */
  | { readonly kind: 'gone'; readonly status: number; readonly error: string };
