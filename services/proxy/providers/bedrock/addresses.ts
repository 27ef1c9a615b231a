import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { OwnAddresses } from '../provider.ts';
import { readRefusal } from './failure.ts';

const MODEL_ADDRESS = /^\/model\/([^/?]+)\/([a-z-]+)(?:\?|$)/;
/** Guardrails, tiers and traces are asked for by such headers, and counts come by them; the other is the name of an error. */
const OWN_HEADER = /^x-amzn-(?:bedrock-|errortype$)/;
const HEADERS_OF_COUNTS: readonly (readonly [header: string, count: string])[] = [
  ['x-amzn-bedrock-input-token-count', 'inputTokenCount'],
  ['x-amzn-bedrock-output-token-count', 'outputTokenCount'],
  ['x-amzn-bedrock-cache-read-input-token-count', 'cacheReadInputTokenCount'],
  ['x-amzn-bedrock-cache-write-input-token-count', 'cacheWriteInputTokenCount'],
];
/** By which a request was served at other prices than ours are. */
const OPTIMIZED = 'optimized';

/** What Bedrock says in addresses and headers, and AWS's SDKs read from them. */
export const bedrockAddresses: OwnAddresses = {
  read: (path) => {
    const [, model = '', operation = ''] = MODEL_ADDRESS.exec(path) ?? [];
    const name = decoded(model);
    if (name === null) return null;
    return { model: name, stream: operation.endsWith('-stream'), billing: operation === 'count-tokens' ? 'free' : 'unknown' };
  },
  isOwnHeader: (name) => OWN_HEADER.test(name),
  usageIn: (headers) => {
    const counts: Record<string, number> = {};
    for (const [header, count] of HEADERS_OF_COUNTS) {
      const text = headers[header];
      if (typeof text === 'string' && /^\d{1,15}$/.test(text)) counts[count] = Number(text);
    }
    return counts;
  },
  tierIn: (told) => {
    const latency = isFields(told.performanceConfig) ? told.performanceConfig.latency : told['x-amzn-bedrock-performanceconfig-latency'];
    return latency === OPTIMIZED ? OPTIMIZED : tierIn(told);
  },
  readRefusal,
};

function tierIn(told: Fields): string | null {
  return isFields(told.serviceTier) ? textOf(told.serviceTier.type) : textOf(told['x-amzn-bedrock-service-tier']);
}

function decoded(segment: string): string | null {
  try {
    return textOf(decodeURIComponent(segment));
  } catch {
    return null;
  }
}
