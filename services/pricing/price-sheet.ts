import { createHash } from 'node:crypto';
import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { PICO_PER_USD, parseUsd } from '../../schema/values/money.ts';
import type { TokenClass } from '../../schema/values/token-usage.ts';
import { TOKEN_CLASSES } from '../../schema/values/token-usage.ts';

/** What is billed by the call or the piece; `request` is the call itself, `search` also stands for a reranker's search unit. */
export const PIECES = ['request', 'search', 'image', 'audioSecond'] as const;
export type Piece = (typeof PIECES)[number];

/** Everything a sheet can put a price on: the disjoint token classes, then the pieces. */
export const PRICED_UNITS = [...TOKEN_CLASSES, ...PIECES] as const;
export type PricedUnit = TokenClass | Piece;

/** The ways a provider sells the same model. `standard` stands in every sheet, the others only where they are sold at a known price. */
export const SERVICE_TIERS = ['standard', 'priority', 'flex', 'batch'] as const;
export type ServiceTier = (typeof SERVICE_TIERS)[number];

/** Pico-USD for one unit as decimal integer text; at most a million USD. */
const PicoUsdText = Type.String({ pattern: '^(0|[1-9][0-9]{0,17})$' });
const Price = Type.Optional(Type.Union([PicoUsdText, Type.Null()]));

/**
 * Prices in pico-USD per token or piece. Three different statements:
 * - text: this is the price, and `"0"` says deliberately that it is free;
 * - absent: nothing is said, the fallback of effective-prices.ts applies;
 * - `null`: known to have a price of its own, which we do not know. Using it leaves the request unrated.
 */
export const UnitPrices = Type.Object(
  {
    input: Price,
    cacheRead: Price,
    cacheWrite5m: Price,
    cacheWrite1h: Price,
    inputAudio: Price,
    inputImage: Price,
    output: Price,
    reasoning: Price,
    outputAudio: Price,
    outputImage: Price,
    request: Price,
    search: Price,
    image: Price,
    audioSecond: Price,
  },
  { additionalProperties: false },
);
export type UnitPrices = Readonly<Static<typeof UnitPrices>>;

const LongContext = Type.Object(
  {
    /** Exclusive: a request of exactly this many input tokens (cached ones counted) is still priced below it. */
    aboveInputTokens: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    standard: UnitPrices,
    priority: Type.Optional(UnitPrices),
    flex: Type.Optional(UnitPrices),
    batch: Type.Optional(UnitPrices),
  },
  { additionalProperties: false },
);

/**
 * All prices of one model at one time. Plain JSON; its content is its identity ({@link priceVersion}), so a sheet is never changed,
 * only followed by another.
 */
export const PriceSheet = Type.Object(
  {
    standard: UnitPrices,
    priority: Type.Optional(UnitPrices),
    flex: Type.Optional(UnitPrices),
    batch: Type.Optional(UnitPrices),
    /** Ascending. Above a threshold the whole request is priced by its entry. */
    longContext: Type.Optional(Type.Array(LongContext, { maxItems: 8 })),
  },
  { additionalProperties: false },
);
export type PriceSheet = Readonly<Static<typeof PriceSheet>>;

const check = Compile(PriceSheet);

/**
 * A frozen sheet from JSON that came from outside (a row, a file, a message).
 * @throws {RangeError} naming the first thing that is wrong.
 */
export function parsePriceSheet(value: unknown): PriceSheet {
  if (!check.Check(value)) {
    const [first] = check.Errors(value);
    throw new RangeError(`not a price sheet: ${first === undefined ? 'wrong shape' : `${first.instancePath || '/'} ${first.message}`}`);
  }
  let previous = 0;
  for (const { aboveInputTokens } of value.longContext ?? []) {
    if (aboveInputTokens <= previous) throw new RangeError('not a price sheet: /longContext must ascend by aboveInputTokens');
    previous = aboveInputTokens;
  }
  return deepFreeze(structuredClone(value));
}

/** USD per million tokens and USD per piece, as decimal text: how people write prices in configuration. */
export type PricesPerMillion = { readonly [Class in TokenClass]?: string | undefined } & {
  /** USD each, not per million. */
  readonly [Unit in Piece]?: string | undefined;
};

/**
 * The sheet of a model priced by its operator, in USD per million tokens and USD per piece. `"0"` means free, on purpose.
 * @throws {RangeError} when an amount is no decimal number, is negative, or is finer than one pico-USD a token.
 */
export function sheetFromPerMillion(prices: PricesPerMillion): PriceSheet {
  const standard: { [Unit in PricedUnit]?: string } = {};
  for (const tokenClass of TOKEN_CLASSES) {
    const text = prices[tokenClass];
    if (text !== undefined) standard[tokenClass] = picoPerToken(text).toString();
  }
  for (const piece of PIECES) {
    const text = prices[piece];
    if (text !== undefined) standard[piece] = parseUsd(text).toString();
  }
  return parsePriceSheet({ standard });
}

const TOKENS_PER_MILLION = 1_000_000n;

function picoPerToken(usdPerMillion: string): bigint {
  const picoPerMillion = parseUsd(usdPerMillion);
  if (picoPerMillion % TOKENS_PER_MILLION !== 0n) {
    throw new RangeError(`finer than one pico-USD a token (${PICO_PER_USD / TOKENS_PER_MILLION} steps a USD): ${usdPerMillion}`);
  }
  return picoPerMillion / TOKENS_PER_MILLION;
}

/** Canonical text of a sheet: sorted keys, no spaces, absent stays absent. Two sheets say the same exactly when these are equal. */
export function canonicalPriceSheet(sheet: PriceSheet): string {
  return canonical(sheet);
}

const versions = new WeakMap<PriceSheet, string>();

/**
 * Name of a price version: `pv_` and the first 32 hex digits of SHA-256 over {@link canonicalPriceSheet} in UTF-8 (ruling "cost").
 * Computed once per sheet object, so the hot path may ask for it on every request.
 */
export function priceVersion(sheet: PriceSheet): string {
  const known = versions.get(sheet);
  if (known !== undefined) return known;
  const version = `pv_${createHash('sha256').update(canonicalPriceSheet(sheet), 'utf8').digest('hex').slice(0, 32)}`;
  versions.set(sheet, version);
  return version;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
