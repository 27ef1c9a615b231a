import { setTimeout as wait } from 'node:timers/promises';
import OpenAI from 'openai';
import type { seededRandom } from '../../harness/seeded-random.ts';

/** Applications of one key at one dollar, who go on until it is used up for what they ask. */
export type BudgetLoad = {
  /** How often each ending came: `ok`, `left`, `gone` where nobody answered, else the code of the error. */
  readonly endings: ReadonlyMap<string, number>;
  readonly inFlight: () => number;
  /** Resolves once nobody asks any more. */
  readonly done: Promise<void>;
  /** From now on nobody asks again. */
  readonly stop: () => void;
};

type Shape = {
  readonly model: string;
  readonly stream: boolean;
  readonly user: string;
  /** Options of the simulator. */
  readonly behavior: Readonly<Record<string, number | string>>;
  readonly leavesAfterMs: number | null;
};

const userCount = 8;

/** Most are plain; some leave, some break, some are under way for longer than a pause, some cost more than was held for them. */
function shapeOf(random: ReturnType<typeof seededRandom>): Shape {
  const behavior = { 'prompt-tokens': 250 + random.below(350), tokens: 1 + random.below(60), 'ttft-ms': '2..40' };
  const user = `user ${random.below(userCount)}`;
  const plain = { model: 'sim/echo', stream: false, user, behavior, leavesAfterMs: null };
  const roll = random.below(100);
  if (roll < 40) return plain;
  if (roll < 65) return { ...plain, stream: true, behavior: { ...behavior, 'token-ms': 1 } };
  if (roll < 75) return { ...plain, stream: true, behavior: { ...behavior, 'token-ms': 4 }, leavesAfterMs: 20 + random.below(150) };
  if (roll < 80) return { ...plain, leavesAfterMs: random.below(40) };
  if (roll < 86) return { ...plain, model: 'sim/flaky', stream: random.below(2) === 0 };
  if (roll < 90) return { ...plain, model: 'sim/no-usage' };
  if (roll < 94) return { ...plain, model: 'sim/disconnect-mid', stream: true };
  if (roll < 97) return { ...plain, behavior: { ...behavior, 'ttft-ms': 1_500 } };
  return { ...plain, stream: random.below(2) === 0, behavior: { ...behavior, 'prompt-tokens': 3_000 } };
}

/** Starts so many callers, with the official client and its own retries. */
export function startBudgetLoad(options: {
  readonly urls: readonly string[];
  readonly secret: string;
  readonly atOnce: number;
  readonly random: ReturnType<typeof seededRandom>;
}): BudgetLoad {
  const { urls, secret, atOnce, random } = options;
  const clients = urls.map((url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: secret, maxRetries: 2, timeout: 20_000, logLevel: 'off' }));
  const endings = new Map<string, number>();
  let stopped = false;
  let inFlight = 0;

  const caller = async (): Promise<void> => {
    while (!stopped) {
      const client = clients[random.below(clients.length)];
      if (client === undefined) throw new Error('there is no proxy');
      inFlight += 1;
      const ending = await ask(client, shapeOf(random), 20 + random.below(60)).finally(() => {
        inFlight -= 1;
      });
      endings.set(ending, (endings.get(ending) ?? 0) + 1);
      if (ending === 'insufficient_quota') return;
      if (ending === 'gone' || ending === 'budget_in_flight') await wait(50 + random.below(200));
    }
  };
  return {
    endings,
    inFlight: () => inFlight,
    done: Promise.all(Array.from({ length: atOnce }, caller)).then(() => {}),
    stop: () => {
      stopped = true;
    },
  };
}

async function ask(client: OpenAI, shape: Shape, maxTokens: number): Promise<string> {
  const leaving = new AbortController();
  const timer = shape.leavesAfterMs === null ? null : setTimeout(() => leaving.abort(), shape.leavesAfterMs);
  const request = {
    model: shape.model,
    messages: [{ role: 'user' as const, content: 'hello' }],
    max_completion_tokens: maxTokens,
    user: shape.user,
    metadata: {
      simulator: Object.entries(shape.behavior)
        .map(([name, value]) => `${name}=${value}`)
        .join('; '),
    },
  };
  try {
    if (shape.stream) {
      const stream = await client.chat.completions.create({ ...request, stream: true }, { signal: leaving.signal });
      for await (const _ of stream) if (leaving.signal.aborted) break;
      return leaving.signal.aborted ? 'left' : 'ok';
    }
    await client.chat.completions.create(request, { signal: leaving.signal });
    return 'ok';
  } catch (error) {
    if (error instanceof OpenAI.APIUserAbortError) return 'left';
    return error instanceof OpenAI.APIError && typeof error.code === 'string' ? error.code : 'gone';
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}
