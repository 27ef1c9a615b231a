import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { priceVersion, sheetFromPerMillion } from '../../pricing/price-sheet.ts';
import type { DesiredState } from '../../registry/configuration/desired-state.ts';

/** What every simulated model costs, USD per million tokens: in the range of a mid-sized model, each class told apart from the others. */
const prices = sheetFromPerMillion({
  input: '1',
  cacheRead: '0.1',
  cacheWrite5m: '1.25',
  cacheWrite1h: '2',
  output: '4',
  reasoning: '4',
  inputAudio: '10',
  outputAudio: '20',
});

const ModelList = Compile(Type.Object({ data: Type.Array(Type.Object({ id: Type.String() })) }));
const answerTimeoutMs = 5_000;

/** The simulated provider as the registry is to know it: its models are what the running simulator says it has. */
export async function simulatedProvider(simulatorUrl: string): Promise<DesiredState> {
  const response = await fetch(`${simulatorUrl}/v1/models`, { signal: AbortSignal.timeout(answerTimeoutMs) });
  const list = ModelList.Parse(await response.json());
  const price = { version: priceVersion(prices), sheet: prices, source: 'turnpike simulator' };
  return {
    owner: 'simulator',
    providers: [{ name: 'sim', baseUrl: `${simulatorUrl}/v1`, credential: null, options: {} }],
    models: list.data.map(({ id }) => ({
      name: `sim/${id}`,
      upstreamModel: id,
      contextWindow: 128_000,
      maxOutputTokens: 16_384,
      price,
    })),
    keys: [],
  };
}
