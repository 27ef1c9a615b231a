import { StartRefusal } from '../runtime/start-refusal.ts';

/** Bedrock as an environment names it. */
export interface FoundBedrock {
  readonly region: string;
  readonly baseUrl: string;
  /** Null: by what the machine has of AWS's. */
  readonly credential: { readonly env: string } | null;
}

/** Names a region, and says by that that Bedrock is meant, by whatever credential of AWS's the machine has. */
const OWN_REGION = 'TURNPIKE_BEDROCK_REGION';
/** An API key of Bedrock's, which is good for nothing else. */
const API_KEY = 'AWS_BEARER_TOKEN_BEDROCK';
const AWS_REGIONS = ['AWS_REGION', 'AWS_DEFAULT_REGION'] as const;
const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d{1,2}$/;

/** What is looked at to find it. */
export const BEDROCK_VARIABLES: readonly string[] = [OWN_REGION, API_KEY, ...AWS_REGIONS];

/** The regions from which models can be called by a profile that begins so. */
const GEOGRAPHIES: ReadonlyMap<string, RegExp> = new Map([
  ['us', /^us-(?!gov-)/],
  ['us-gov', /^us-gov-/],
  ['eu', /^eu-/],
  ['apac', /^ap-/],
  ['jp', /^ap-northeast-[13]$/],
  ['au', /^ap-southeast-[246]$/],
  ['global', /^(?!us-gov-|cn-)/],
]);
/** A maker's name and a model's, not as other places or APIs spell it. */
const MODEL_ID = /^([a-z0-9-]+)\.[^/@]+$/;

/**
 * Bedrock where the environment means it: by an API key of its own in a region, or by a region that is named for it. Keys, profiles and roles of AWS's are on many
 * machines for other reasons, and find nothing by themselves. @throws {StartRefusal} where what names the region for it is none.
 */
export function bedrockInEnvironment(read: (variable: string) => string | null): FoundBedrock | null {
  const credential = read(API_KEY) === null ? null : { env: API_KEY };
  const named = read(OWN_REGION);
  if (named !== null && !REGION.test(named)) {
    throw new StartRefusal(`${OWN_REGION}: expected a region of AWS such as us-east-1, found ${JSON.stringify(named)}`);
  }
  const region = named ?? (credential === null ? null : (AWS_REGIONS.map(read).find((value) => value !== null) ?? null));
  if (region === null || !REGION.test(region)) return null;
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return { region, baseUrl: `https://bedrock-runtime.${region}.${domain}`, credential };
}

/** The id of a model of the catalogue in a region; null where it cannot be called from there. The catalogue prices some for a region: `eu-west-1/meta.llama3…`. */
export function bedrockModelIn(region: string, catalogued: string): string | null {
  const model = catalogued.startsWith(`${region}/`) ? catalogued.slice(region.length + 1) : catalogued;
  const [, first] = MODEL_ID.exec(model) ?? [];
  if (first === undefined) return null;
  return GEOGRAPHIES.get(first)?.test(region) === false ? null : model;
}
