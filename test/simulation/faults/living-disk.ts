import type { Disk, DiskFile } from '../../../services/eventlog/disk.ts';
import type { Life } from '../life.ts';

/** A machine's disk as one process of it sees it: every call is a moment at which the process may die. */
export function createLivingDisk(disk: Disk, life: Life): Disk {
  const file = (inner: DiskFile): DiskFile => ({
    write: (bytes, position) => {
      life.pass('disk.write');
      inner.write(bytes, position);
      life.pass('disk.written');
    },
    sync: () => life.call('disk.sync', () => inner.sync()),
    read: (position, length) => life.call('disk.read', () => inner.read(position, length)),
    close: () => inner.close(),
  });
  return {
    makeDirectory: (path) => life.call('disk.makeDirectory', () => disk.makeDirectory(path)),
    list: (path) => life.call('disk.list', () => disk.list(path)),
    create: (path) => life.call('disk.create', () => disk.create(path)).then(file),
    open: (path) => life.call('disk.open', () => disk.open(path)).then(file),
    readFile: (path) => life.call('disk.readFile', () => disk.readFile(path)),
    copy: (from, to) => life.call('disk.copy', () => disk.copy(from, to)),
    truncate: (path, length) => life.call('disk.truncate', () => disk.truncate(path, length)),
    rewrite: (path, bytes) => life.call('disk.rewrite', () => disk.rewrite(path, bytes)),
    remove: (path) => life.call('disk.remove', () => disk.remove(path)),
    syncDirectory: (path) => life.call('disk.syncDirectory', () => disk.syncDirectory(path)),
  };
}
