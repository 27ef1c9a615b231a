import { builder } from './builder.ts';
import type { EndReason, GapReason, StreamControl } from './ports/live-streams.ts';

type Heartbeat = Extract<StreamControl, { kind: 'heartbeat' }>;
type Gap = Extract<StreamControl, { kind: 'gap' }>;
type End = Extract<StreamControl, { kind: 'end' }>;

/** One type for both, so that a client can ask for `reason` of either without an alias. */
const StreamReason = builder.enumType('StreamReason', {
  description: 'Why events are missing, or why a stream ends.',
  values: {
    EXPIRED: { description: 'Gap: the cursor is older than what is kept for resuming.' },
    EPOCH_CHANGED: { description: 'Gap: the journal was restored; positions of before mean nothing now.' },
    SLOW_CONSUMER: { description: 'You read more slowly than events came.' },
    AUTH_REVOKED: { description: 'End: the key is no longer good. Do not come back with it.' },
    TOKEN_EXPIRED: { description: 'End: the key has expired.' },
    SERVER_DRAIN: { description: 'End: the server stops. Come back with `resumeAfter`.' },
  } satisfies Record<GapReason | EndReason, object>,
});

export const StreamHeartbeat = builder.objectRef<Heartbeat>('StreamHeartbeat').implement({
  description: 'First, and then every 15 seconds: the cursor moves past events that the filter leaves out.',
  fields: (t) => ({
    cursor: t.expose('cursor', { type: 'Cursor' }),
    at: t.expose('at', { type: 'DateTime' }),
    lagMs: t.exposeInt('lagMs', { description: 'How old the newest event was when it was read from the journal.' }),
  }),
});

export const StreamGap = builder.objectRef<Gap>('StreamGap').implement({
  description: 'Events are missing here.',
  fields: (t) => ({
    from: t.expose('from', { type: 'Cursor', nullable: true }),
    to: t.expose('to', { type: 'Cursor', description: 'The stream goes on after this.' }),
    reason: t.field({ type: StreamReason, resolve: ({ reason }) => reason }),
    dropped: t.expose('dropped', {
      type: 'BigInt',
      nullable: true,
      description: 'How many positions were passed over; null where it cannot be known.',
    }),
    refetch: t.exposeBoolean('refetch', { description: 'What you hold may be wrong: query it again.' }),
  }),
});

export const StreamEnd = builder.objectRef<End>('StreamEnd').implement({
  description: 'The last message of a stream that the server ends.',
  fields: (t) => ({
    reason: t.field({ type: StreamReason, resolve: ({ reason }) => reason }),
    resumeAfter: t.expose('resumeAfter', { type: 'Cursor', nullable: true }),
    retryAfter: t.field({ type: 'Duration', nullable: true, resolve: ({ retryAfterMs }) => retryAfterMs }),
  }),
});

const controlTypes = { heartbeat: 'StreamHeartbeat', gap: 'StreamGap', end: 'StreamEnd' } as const;

/** Name of the type of a control message. */
export function controlTypeOf(control: StreamControl): 'StreamHeartbeat' | 'StreamGap' | 'StreamEnd' {
  return controlTypes[control.kind];
}
