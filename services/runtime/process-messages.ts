/** A child process tells the supervisor that it serves. `addresses` maps what it listens for to where: `{ http: 'http://127.0.0.1:4000' }`. */
export type ReadyMessage = { readonly kind: 'ready'; readonly addresses: Readonly<Record<string, string>> };

/** A child process tells the supervisor that it refuses to start, and why; it then ends with `refusalExitCode`. */
export type RefusedMessage = { readonly kind: 'refused'; readonly reason: string };

export type ProcessMessage = ReadyMessage | RefusedMessage;

/** What came over the IPC channel, or null where it is not a message of ours. */
export function parseProcessMessage(message: unknown): ProcessMessage | null {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return null;
  if (message.kind === 'refused' && 'reason' in message && typeof message.reason === 'string') {
    return { kind: 'refused', reason: message.reason };
  }
  if (message.kind === 'ready' && 'addresses' in message && typeof message.addresses === 'object' && message.addresses !== null) {
    const texts = Object.entries(message.addresses).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return { kind: 'ready', addresses: Object.fromEntries(texts) };
  }
  return null;
}

/**
 * Sends a message to the supervisor and waits until it is handed over. Without a supervisor, or with one that is gone,
 * there is nobody to tell, which is not an error.
 */
export function tellSupervisor(message: ProcessMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve();
    process.send(message, undefined, undefined, () => resolve());
  });
}
