import type { MeaningOf } from '../openai/failure.ts';

/** Told by its words alone: the code, `invalid-argument`, is that of every faulty request. */
const WRONG_KEY = /^incorrect api key/i;

export const xaiMeaning: MeaningOf = (status, { message }) => (status === 400 && WRONG_KEY.test(message) ? 'credential' : null);
