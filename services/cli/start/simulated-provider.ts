import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { priceVersion } from '../../pricing/price-sheet.ts';
import { simulatedPriceSheet } from '../../pricing/simulated.ts';
import type { DesiredState } from '../../registry/configuration/desired-state.ts';

const ModelList = Compile(Type.Object({ data: Type.Array(Type.Object({ id: Type.String() })) }));
const answerTimeoutMs = 5_000;

/** The simulated provider as the registry is to know it: its models are what the running simulator says it has. */
export async function simulatedProvider(simulatorUrl: string): Promise<DesiredState> {
  const response = await fetch(`${simulatorUrl}/v1/models`, { signal: AbortSignal.timeout(answerTimeoutMs) });
  const list = ModelList.Parse(await response.json());
  return {
    owner: 'simulator',
    providers: [{ name: 'sim', protocol: 'openai', baseUrl: `${simulatorUrl}/v1`, credential: null, options: { servesResponses: true } }],
    models: list.data.map(({ id }) => {
      const sheet = simulatedPriceSheet(id);
      return {
        name: `sim/${id}`,
        upstreamModel: id,
        contextWindow: 128_000,
        maxOutputTokens: 16_384,
        price: { version: priceVersion(sheet), sheet, source: 'simulator' },
      };
    }),
    keys: [],
  };
}
