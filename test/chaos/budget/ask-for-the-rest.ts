import OpenAI from 'openai';
import { eventually } from '../../harness/eventually.ts';
import type { Child } from '../child.ts';
import { isBooked } from './all-booked.ts';
import type { BudgetWorld, OneDollar } from './budget-world.ts';
import { lastCentModel, oneDollarPico, outputPico } from './budget-world.ts';
import { dollarOf } from './dollar-counters.ts';

/** Less than the simulated provider makes at once. */
const mostTokensAtOnce = 16_000n;
/** A database that does not answer at once is asked again. */
const askedMs = 60_000;

type Asked = { readonly refused: string | null; readonly requestId: string | null };

/** Asks for so many tokens of a model whose prompts are free, of which so many are used. */
async function askForTokens(proxy: Child | undefined, dollar: OneDollar, tokens: bigint, used: bigint, maxRetries: number): Promise<Asked> {
  const client = new OpenAI({ baseURL: `${proxy?.url()}/v1`, apiKey: dollar.secret, maxRetries, timeout: 20_000, logLevel: 'off' });
  const request = client.chat.completions.create({
    model: `sim/${lastCentModel}`,
    messages: [{ role: 'user', content: 'the rest' }],
    max_completion_tokens: Number(tokens),
    metadata: { simulator: `prompt-tokens=1; tokens=${used}` },
  });
  return request.withResponse().then(
    ({ response }) => ({ refused: null, requestId: response.headers.get('x-request-id') }),
    (error: unknown) => ({ refused: error instanceof OpenAI.APIError ? String(error.code) : String(error), requestId: null }),
  );
}

/** All that is left is had by one request, and a token more than that by none. */
export async function fitsWhole(world: BudgetWorld, dollar: OneDollar): Promise<void> {
  const rest = await tokensLeft(world, dollar);
  const [proxy] = world.proxies;
  if (rest > 0n) {
    const { refused, requestId } = await askForTokens(proxy, dollar, rest, 1n, 30);
    if (refused !== null || requestId === null)
      throw new Error(`${rest} tokens are left, and a request for all of them was refused: ${refused}`);
    await isBooked(world, requestId);
  }
  const more = (await tokensLeft(world, dollar)) + 1n;
  const { settled } = await dollarOf(world, dollar);
  // What is lost may come back: as long as it would be enough, no refusal is for good.
  const expected = more * outputPico <= oneDollarPico - settled ? 'budget_in_flight' : 'insufficient_quota';
  await eventually(async () => {
    const { refused } = await askForTokens(proxy, dollar, more, 1n, 0);
    if (refused === expected) return true;
    throw new Error(`${more - 1n} tokens are left, and a request for one more was told ${refused ?? 'nothing'} where ${expected} is due`);
  }, askedMs);
}

/** That could be paid of what is neither settled nor lost. */
async function tokensLeft(world: BudgetWorld, dollar: OneDollar): Promise<bigint> {
  const { settled, lost } = await dollarOf(world, dollar);
  const rest = oneDollarPico - settled - lost;
  return rest < outputPico ? 0n : rest / outputPico;
}

/** What is left is used up to the token: whoever is asked has to find it, wherever it lies. */
export async function spendTheRest(world: BudgetWorld, dollar: OneDollar): Promise<void> {
  for (let turn = 1; ; turn += 1) {
    const rest = await tokensLeft(world, dollar);
    if (rest === 0n) break;
    const tokens = rest > mostTokensAtOnce ? mostTokensAtOnce : rest;
    const { refused, requestId } = await askForTokens(world.proxies[turn % world.proxies.length], dollar, tokens, tokens, 30);
    if (refused !== null || requestId === null)
      throw new Error(`${rest} tokens are left, and a request for ${tokens} was refused: ${refused}`);
    await isBooked(world, requestId);
  }
  await fitsWhole(world, dollar);
}
