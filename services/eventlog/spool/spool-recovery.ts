import type { Frame } from '../segments/frame.ts';
import type { Place } from '../segments/segment.ts';
import type { Carried } from './carried.ts';
import {
  CARRIED_KIND,
  CLOSE_KIND,
  decodeCarried,
  decodeClose,
  decodeOpen,
  decodeSent,
  END_KIND,
  OPEN_KIND,
  SENT_KIND,
} from './spool-record.ts';

/** A request opened and not closed, and where its opening record stands. */
export interface OpenRequest {
  readonly draft: string;
  place: Place;
}

export interface SpoolContents {
  /** By request id, oldest first. */
  readonly open: Map<string, OpenRequest>;
  /** Closed and not known to have been acknowledged, in order. */
  readonly unsent: readonly { readonly requestId: string; readonly closedAt: number; readonly place: Place }[];
  /** Whether the last process stopped cleanly: everything it wrote was synced. */
  readonly clean: boolean;
  /** Places of what was carried last. */
  readonly carried: readonly Place[];
  /** The boots that wrote what is left, oldest first. */
  readonly boots: readonly SpoolBoot[];
}

/** One ownership of a spool's folder, by the segments that it left. */
export interface SpoolBoot {
  readonly epoch: number;
  /** The machine's boot it ran in; null where an older version wrote. */
  readonly machineBoot: string | null;
  /** Whether it stopped in order: all it wrote was synced. */
  readonly clean: boolean;
}

interface SpoolFold {
  addHeader(body: Buffer): void;
  add(frame: Frame, place: Place): void;
  contents(): SpoolContents;
}

/**
 * Builds the spool's contents from its frames, fed in order. An open record met again was carried to a younger segment.
 * @param owner told of what was carried, each time it is met whole, and of what was closed after it.
 */
export function foldSpool(owner: Pick<Carried, 'read' | 'closed'> | null = null): SpoolFold {
  const open = new Map<string, OpenRequest>();
  const closed: { requestId: string; closedAt: number; place: Place }[] = [];
  let sentThrough = 0;
  let clean = false;
  const boots: { epoch: number; machineBoot: string | null; clean: boolean }[] = [];
  let carried: Place[] = [];
  let arriving: { readonly value: Buffer; readonly place: Place }[] = [];

  function addHeader(body: Buffer): void {
    const header = readHeader(body);
    if (header === null || boots.at(-1)?.epoch === header.epoch) return;
    boots.push({ ...header, clean: false });
  }

  function addCarried(body: Buffer, place: Place): void {
    const { part, parts, value } = decodeCarried(body);
    if (part === 0) arriving = [];
    if (part !== arriving.length) return;
    arriving.push({ value, place });
    if (arriving.length < parts) return;
    carried = arriving.map((each) => each.place);
    owner?.read(arriving.map((each) => each.value));
    arriving = [];
  }

  function add(frame: Frame, place: Place): void {
    clean = frame.kind === END_KIND;
    const boot = boots.at(-1);
    if (boot !== undefined) boot.clean = clean;
    if (frame.kind === OPEN_KIND) {
      const { requestId, draft } = decodeOpen(frame.body);
      open.delete(requestId);
      open.set(requestId, { draft, place });
    } else if (frame.kind === CLOSE_KIND) {
      const { requestId, closedAt, event } = decodeClose(frame.body);
      open.delete(requestId);
      closed.push({ requestId, closedAt, place });
      owner?.closed(event);
    } else if (frame.kind === SENT_KIND) {
      sentThrough = Math.max(sentThrough, decodeSent(frame.body));
    } else if (frame.kind === CARRIED_KIND) {
      addCarried(frame.body, place);
    }
  }

  return {
    addHeader,
    add,
    contents: () => ({ open, unsent: closed.filter(({ place }) => place.sequence > sentThrough), clean, carried, boots }),
  };
}

function readHeader(body: Buffer): { readonly epoch: number; readonly machineBoot: string | null } | null {
  try {
    const header: unknown = JSON.parse(body.toString('utf8'));
    if (typeof header !== 'object' || header === null || !('epoch' in header) || typeof header.epoch !== 'number') return null;
    return { epoch: header.epoch, machineBoot: 'boot' in header && typeof header.boot === 'string' ? header.boot : null };
  } catch {
    return null;
  }
}
