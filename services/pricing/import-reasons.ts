/** Why an entry of the source table is not in the catalogue. */
export const REFUSALS = {
  mode_left_out: 'a kind of call we do not offer, or none stated',
  ambiguous: 'two entries for the same model of the same provider at different prices',
  size_class: 'a size or quality of an image model written as if it were a model',
  known_bad: 'contradicted by other sources',
  implausible: 'more than 1,000 USD per million tokens: written per thousand or per million instead of per token',
  not_exact: 'a price that cannot be read exactly',
  no_price: 'no price for what the model does',
  zero_price: 'all prices are 0, which may mean unknown or free; we do not guess',
  one_sided: 'only input or only output has a price above 0',
  unit_unsupported: 'billed in a unit our usage does not count (characters, pixels, seconds of video, citations, …)',
  search_fee_by_size: 'every answer includes a search whose fee depends on a setting that the usage does not show',
} as const;
export type Refusal = keyof typeof REFUSALS;

/** Why a single price of an accepted entry was not taken. */
export const OMISSIONS = {
  tier_incomplete: 'a tier with an input or an output price missing: the tier is left out',
  tier_not_dearer: 'a priority price that is not above the standard price: the tier is left out',
  tier_not_cheaper: 'a flex price that is not below the standard price: the tier is left out',
  batch_not_half: 'a batch price that is not exactly half the standard price: the tier is left out',
  cache_read_not_cheaper: 'a cache-read price that is not below the input price: recorded as unknown',
  cache_read_unstated: 'prompt caching claimed without a cache-read price: recorded as unknown',
  zero_component: 'a price of 0 beside others above 0: recorded as unknown',
  charged_once: 'the same price for an input and for an output second: charged once',
  counted_as_tokens: 'a price per image, second, character or pixel beside token prices: what it bills is counted in tokens already',
  search_fee_varies: 'a search fee that depends on a setting the usage does not show: recorded as unknown',
  fee_not_counted: 'a fee our usage does not count',
} as const;
export type Omission = keyof typeof OMISSIONS;
