import type { PassFailpoint } from '../../runtime/failpoints/failpoints.ts';
import type { Disk, DiskFile } from '../disk.ts';
import { frameBytes, readFrame } from '../segments/frame.ts';
import { SENT_KIND } from '../spool/spool-record.ts';

/** A disk that passes the failpoints of the embedded log's journal. */
export function createJournalFailpointDisk(disk: Disk, pass: PassFailpoint): Disk {
  return withWriting(disk, 'ledger.journal', pass);
}

/** A disk that passes the failpoints of a spool: those of every segmented log, the note of what was sent, and a segment's end. */
export function createSpoolFailpointDisk(disk: Disk, pass: PassFailpoint): Disk {
  const written = withWriting(disk, 'proxy.spool', pass);
  return {
    ...written,
    create: async (path) => {
      const file = await written.create(path);
      return {
        ...file,
        write: (bytes, position) => {
          const isNote = holdsSentNote(bytes);
          if (isNote) pass('proxy.spool.note-sent');
          file.write(bytes, position);
          if (isNote) pass('proxy.spool.noted-sent');
        },
      };
    },
    remove: async (path) => {
      pass('proxy.spool.remove');
      await disk.remove(path);
      pass('proxy.spool.removed');
    },
  };
}

function withWriting(disk: Disk, place: 'proxy.spool' | 'ledger.journal', pass: PassFailpoint): Disk {
  const withPoints = (file: DiskFile): DiskFile => ({
    ...file,
    write: (bytes, position) => {
      pass(`${place}.write`);
      const half = bytes.length >> 1;
      file.write(bytes.subarray(0, half), position);
      pass(`${place}.tear`);
      file.write(bytes.subarray(half), position + half);
      pass(`${place}.wrote`);
    },
    sync: async () => {
      pass(`${place}.sync`);
      await file.sync();
      pass(`${place}.synced`);
    },
  });
  return {
    ...disk,
    create: async (path) => {
      pass(`${place}.create`);
      const file = await disk.create(path);
      pass(`${place}.created`);
      return withPoints(file);
    },
  };
}

/** Whether a run of whole frames has a note of what was sent among them. */
function holdsSentNote(bytes: Uint8Array): boolean {
  const frames = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, frame = readFrame(frames, at); frame !== null; frame = readFrame(frames, at)) {
    if (frame.kind === SENT_KIND) return true;
    at += frameBytes(frame.body.length);
  }
  return false;
}
