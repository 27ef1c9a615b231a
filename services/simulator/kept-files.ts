import type { Clock } from '../runtime/clock.ts';

/** A file as the API describes it. */
export type FileObject = {
  readonly id: string;
  readonly object: 'file';
  readonly bytes: number;
  readonly created_at: number;
  readonly filename: string;
  readonly purpose: string;
  readonly status: 'processed';
};

export type KeptFile = {
  readonly object: FileObject;
  readonly content: Buffer;
  /** The name of the credential that it belongs to; no other finds it. */
  readonly owner: string;
};

/** Files, by owner. Bound: 1,000 of them and 256 MiB; beyond either the oldest go. */
export class KeptFiles {
  readonly #clock: Clock;
  readonly #files = new Map<string, KeptFile>();
  readonly #maximumFiles = 1_000;
  readonly #maximumBytes = 256 * 1024 * 1024;
  #bytes = 0;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An id that no other simulator of another time has given. */
  nextId(prefix: string): string {
    this.#count += 1;
    return `${prefix}${this.#clock.now().toString(36)}${String(this.#count).padStart(6, '0')}`;
  }

  add(owner: string, filename: string, purpose: string, content: Buffer): KeptFile {
    const createdSeconds = Math.floor(this.#clock.now() / 1000);
    const id = this.nextId('file-');
    const object: FileObject = {
      id,
      object: 'file',
      bytes: content.length,
      created_at: createdSeconds,
      filename,
      purpose,
      status: 'processed',
    };
    const file = { object, content, owner };
    this.#files.set(id, file);
    this.#bytes += content.length;
    for (const oldest of this.#files.keys()) {
      if (this.#files.size <= this.#maximumFiles && this.#bytes <= this.#maximumBytes) break;
      this.#drop(oldest);
    }
    return file;
  }

  find(owner: string, id: string): KeptFile | null {
    const file = this.#files.get(id);
    return file?.owner === owner ? file : null;
  }

  /** Whether there was one. */
  delete(owner: string, id: string): boolean {
    return this.find(owner, id) !== null && this.#drop(id);
  }

  #drop(id: string): boolean {
    this.#bytes -= this.#files.get(id)?.content.length ?? 0;
    return this.#files.delete(id);
  }

  of(owner: string): readonly KeptFile[] {
    return [...this.#files.values()].filter((file) => file.owner === owner);
  }
}
