import { expect, test } from 'vitest';
import { createLiveStream } from '../../../../services/api/live/live-stream.ts';

function streamOf(events: string[]) {
  const state = { closed: 0, steps: 0, last: null as string | null };
  const { iterator, wake } = createLiveStream<string>({
    step: async () => {
      state.steps += 1;
      return events.shift() ?? null;
    },
    waitMs: () => 60_000,
    last: () => state.last,
    onClose: () => {
      state.closed += 1;
    },
  });
  return { iterator, wake, state };
}

test('a reader that leaves while the stream waits is let go of at once', async () => {
  const { iterator, state } = streamOf([]);
  const waiting = iterator.next();
  await iterator.return?.();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(state.closed).toBe(1);
  await iterator.return?.();
  expect(state.closed).toBe(1);
});

test('a wake-up during a step is not lost', async () => {
  const events: string[] = [];
  let wake = (): void => {};
  const stream = createLiveStream<string>({
    step: async () => {
      const event = events.shift() ?? null;
      // It comes after the step looked, and before the stream waits.
      if (event === null && events.length === 0) {
        events.push('late');
        wake();
      }
      return event;
    },
    waitMs: () => 60_000,
    last: () => null,
    onClose: () => {},
  });
  wake = stream.wake;
  expect(await stream.iterator.next()).toEqual({ done: false, value: 'late' });
  await stream.iterator.return?.();
});

test('nothing is taken that was not asked for', async () => {
  const events = Array.from({ length: 1_000 }, (_none, index) => String(index));
  const { iterator, state } = streamOf(events);
  await iterator.next();
  await iterator.next();
  expect(state.steps).toBe(2);
  expect(events).toHaveLength(998);
  await iterator.return?.();
});

test('readers that pull twice at once get the events in order', async () => {
  const { iterator } = streamOf(['a', 'b', 'c']);
  const pulled = await Promise.all([iterator.next(), iterator.next(), iterator.next()]);
  expect(pulled.map((result) => result.value)).toEqual(['a', 'b', 'c']);
  await iterator.return?.();
});

test('a stream that has to end says so instead of its next event, and is closed', async () => {
  const { iterator, wake, state } = streamOf(['a', 'b']);
  expect((await iterator.next()).value).toBe('a');
  state.last = 'end';
  wake();
  expect((await iterator.next()).value).toBe('end');
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
  expect(state.closed).toBe(1);
});

test('a step that fails ends the stream', async () => {
  let closed = false;
  const { iterator } = createLiveStream<string>({
    step: () => Promise.reject(new Error('broken')),
    waitMs: () => 1,
    last: () => null,
    onClose: () => {
      closed = true;
    },
  });
  await expect(iterator.next()).rejects.toThrow('broken');
  expect(closed).toBe(true);
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});
