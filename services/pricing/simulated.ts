import { type PriceSheet, parsePriceSheet, sheetFromPerMillion } from './price-sheet.ts';

/**
 * Prices of the simulated provider's models. None is round and none is the same twice, so that a swapped class, a forgotten cache price or a
 * wrong tier shows in the very digits of a cost.
 */
const PLAIN = sheetFromPerMillion({
  input: '0.131',
  cacheRead: '0.017',
  cacheWrite5m: '0.163',
  cacheWrite1h: '0.269',
  inputAudio: '1.327',
  inputImage: '0.179',
  output: '0.613',
  reasoning: '0.739',
  outputAudio: '2.903',
  outputImage: '4.337',
  search: '0.005003',
  image: '0.019009',
  audioSecond: '0.000103',
});

/** Models that differ from the plain price, by name without `sim/`. */
const SPECIAL: ReadonlyMap<string, PriceSheet> = new Map([
  ['slow', sheetFromPerMillion({ input: '1.117', cacheRead: '0.149', output: '3.371' })],
  ['reasoning', sheetFromPerMillion({ input: '1.259', cacheRead: '0.127', output: '5.051', reasoning: '7.103' })],
  ['cached', sheetFromPerMillion({ input: '2.113', cacheRead: '0.211', output: '8.237' })],
  [
    'cache-write',
    sheetFromPerMillion({ input: '3.019', cacheRead: '0.307', cacheWrite5m: '3.779', cacheWrite1h: '6.043', output: '15.013' }),
  ],
  // Sold in every tier and dearer above 1,000 input tokens: the whole of effective-prices.ts within a request of modest size.
  [
    'long',
    parsePriceSheet({
      standard: { input: '521000', cacheRead: '53000', output: '1567000' },
      priority: { input: '907000', cacheRead: '97000', output: '2749000' },
      flex: { input: '257000', output: '773000' },
      batch: { input: '260500', output: '783500' },
      longContext: [
        {
          aboveInputTokens: 1_000,
          standard: { input: '1049000', cacheRead: '109000', output: '2357000' },
          priority: { input: '1823000', cacheRead: '193000', output: '4133000' },
        },
      ],
    }),
  ],
]);

/** The price sheet of a model of the simulated provider, by its name without `sim/`. */
export function simulatedPriceSheet(model: string): PriceSheet {
  return SPECIAL.get(model) ?? PLAIN;
}
