/** A message of a stream: `data` of one field, and when it came. */
export interface SseMessage<Event = Record<string, unknown>> {
  readonly event: Event;
  readonly atMs: number;
}

/** A subscription over SSE that collects what comes. */
export interface SseStream<Event = Record<string, unknown>> {
  readonly status: number;
  readonly messages: readonly SseMessage<Event>[];
  /** Errors of execution results. */
  readonly errors: readonly { readonly message: string; readonly extensions?: Record<string, unknown> }[];
  /** Whether the server ended it with `complete`. */
  readonly completed: () => boolean;
  readonly ended: Promise<void>;
  /** Goes away without a word. */
  readonly hangUp: () => void;
}

/** Opens a subscription and resolves with its headers. `data.<field>` of each result is a message. */
export async function openSse<Event = Record<string, unknown>>(
  url: string,
  key: string,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<SseStream<Event>> {
  const leaving = new AbortController();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables }),
    signal: leaving.signal,
  });
  const messages: SseMessage<Event>[] = [];
  const errors: { message: string }[] = [];
  let completed = false;
  const take = (block: string): void => {
    if (block.startsWith('event: complete')) completed = true;
    const data = /^data: (.+)$/m.exec(block)?.[1];
    if (data === undefined) return;
    const result: { data?: Record<string, Event>; errors?: { message: string }[] } = JSON.parse(data);
    errors.push(...(result.errors ?? []));
    for (const event of Object.values(result.data ?? {})) messages.push({ event, atMs: performance.now() });
  };
  const read = async (): Promise<void> => {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const part of response.body ?? []) {
      const blocks = (rest + decoder.decode(part, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) take(block);
    }
  };
  const ended = read().catch(() => {});
  return { status: response.status, messages, errors, completed: () => completed, ended, hangUp: () => leaving.abort() };
}
