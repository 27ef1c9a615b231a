import { expect, test } from 'vitest';
import { eventually } from './eventually.ts';

test('gives back the first truthy value', async () => {
  let looks = 0;
  expect(await eventually(() => (++looks === 3 ? { found: looks } : null), 2_000)).toEqual({ found: 3 });
  expect(looks).toBe(3);
});

test('counts a failed assertion as not yet', async () => {
  let looks = 0;
  await eventually(() => {
    expect(++looks).toBe(2);
    return true;
  }, 2_000);
});

test('looks once even when the deadline is past', async () => {
  expect(await eventually(() => 'here', 0)).toBe('here');
});

test('says on time-out what it saw last, as value or as error', async () => {
  const isZero = (): boolean => false;
  await expect(eventually(isZero, 50)).rejects.toThrow(/^Not within 50 ms \(\d+ looks\)\. Last seen: the value false$/);
  const broken = new Error('connection refused');
  await expect(
    eventually(() => {
      throw broken;
    }, 50),
  ).rejects.toMatchObject({ message: expect.stringContaining('the error connection refused'), cause: broken });
});

test('does not hang on a look that hangs', async () => {
  await expect(eventually(() => new Promise<true>(() => {}), 50)).rejects.toThrow(/the first look never finished/);
});
