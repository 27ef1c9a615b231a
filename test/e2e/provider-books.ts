import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

const Count = Type.Integer({ minimum: 0 });
const Counts = Type.Object({
  promptTokens: Count,
  cachedTokens: Count,
  cacheWriteTokens: Type.Union([Count, Type.Null()]),
  audioInputTokens: Count,
  completionTokens: Count,
  reasoningTokens: Count,
  audioOutputTokens: Count,
});
/** Tokens as the provider counts them: parts inside their whole. */
export type ProviderCounts = Static<typeof Counts>;

const Entry = Type.Object({
  sequence: Type.Integer(),
  requestId: Type.Union([Type.String(), Type.Null()]),
  model: Type.String(),
  stream: Type.Boolean(),
  status: Type.Union([Type.Integer(), Type.Null()]),
  outcome: Type.Union([Type.Literal('finished'), Type.Literal('refused'), Type.Literal('cut'), Type.Literal('cancelled')]),
  reported: Type.Union([Counts, Type.Null()]),
  billed: Type.Union([Counts, Type.Null()]),
});
export type ProviderEntry = Static<typeof Entry>;

const Page = Compile(Type.Object({ entries: Type.Array(Entry), missed: Type.Integer(), lastSequence: Type.Integer() }));
const Summary = Compile(Type.Object({ active: Type.Integer() }));
const pageSize = 5_000;

/** How many calls the provider is still answering. */
export async function activeCalls(simUrl: string): Promise<number> {
  return Summary.Parse(await get(`${simUrl}/books`)).active;
}

/** Every call the provider wrote down, oldest first. @throws Error where it no longer has them all. */
export function readProviderBooks(simUrl: string): Promise<readonly ProviderEntry[]> {
  return followProviderBooks(simUrl)();
}

/**
 * As `readProviderBooks`, and each further call reads on from there: the provider keeps the last hundred thousand only. One call
 * waits for the one before it, or both would take the same page.
 */
export function followProviderBooks(simUrl: string): () => Promise<readonly ProviderEntry[]> {
  const found: ProviderEntry[] = [];
  let after = 0;
  let before: Promise<unknown> = Promise.resolve();
  const readOn = async (): Promise<readonly ProviderEntry[]> => {
    for (;;) {
      const page = Page.Parse(await get(`${simUrl}/books/entries?after=${after}&limit=${pageSize}`));
      if (page.missed > 0) throw new Error(`the provider dropped ${page.missed} entries`);
      if (page.entries.length === 0) return found;
      found.push(...page.entries);
      after = page.lastSequence;
    }
  };
  return () => {
    const reading = before.then(readOn);
    before = reading.catch(() => {});
    return reading;
  };
}

async function get(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  return response.json();
}
