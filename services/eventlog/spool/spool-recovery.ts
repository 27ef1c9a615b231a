import type { Frame } from '../segments/frame.ts';
import type { Place } from '../segments/segment.ts';
import { CLOSE_KIND, decodeClose, decodeOpen, decodeSent, END_KIND, OPEN_KIND, SENT_KIND } from './spool-record.ts';

/** A request opened and not closed, and where its opening record stands. */
export interface OpenRequest {
  readonly draft: Buffer;
  place: Place;
}

export interface SpoolContents {
  /** By request id, oldest first. */
  readonly open: Map<string, OpenRequest>;
  /** Closed and not known to have been acknowledged, in order. */
  readonly unsent: readonly { readonly requestId: string; readonly closedAt: number; readonly place: Place }[];
  /** Whether the last process stopped cleanly: everything it wrote was synced. */
  readonly clean: boolean;
}

/** Builds the spool's contents from its frames, fed in order. An open record met again was carried to a younger segment. */
export function foldSpool(): { add(frame: Frame, place: Place): void; contents(): SpoolContents } {
  const open = new Map<string, OpenRequest>();
  const closed: { requestId: string; closedAt: number; place: Place }[] = [];
  let sentThrough = 0;
  let clean = false;

  function add(frame: Frame, place: Place): void {
    clean = frame.kind === END_KIND;
    if (frame.kind === OPEN_KIND) {
      const { requestId, draft } = decodeOpen(frame.body);
      open.delete(requestId);
      open.set(requestId, { draft, place });
    } else if (frame.kind === CLOSE_KIND) {
      const { requestId, closedAt } = decodeClose(frame.body);
      open.delete(requestId);
      closed.push({ requestId, closedAt, place });
    } else if (frame.kind === SENT_KIND) {
      sentThrough = Math.max(sentThrough, decodeSent(frame.body));
    }
  }

  return { add, contents: () => ({ open, unsent: closed.filter(({ place }) => place.sequence > sentThrough), clean }) };
}
