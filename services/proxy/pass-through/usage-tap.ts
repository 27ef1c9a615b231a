import type { IncomingHttpHeaders } from 'node:http';
import type { Fields } from '../body/json-fields.ts';
import { isFields, parseFields, textOf } from '../body/json-fields.ts';
import type { AnswerFacts, Provider } from '../providers/provider.ts';
import { NO_FACTS } from '../providers/provider.ts';

/** Longest raw usage the event keeps (schema/events/request-settled.v1.ts). */
const MAX_RAW_USAGE = 4_096;

/**
 * What an answer of an endpoint that nobody here knows says of itself, read as it passes: whole, or event by event. Usage that comes in parts, or again and
 * again, is the last that was said of each of its fields, since providers repeat sums and never send differences (providers.md 2.1).
 */
export class UsageTap {
  readonly #provider: Pick<Provider, 'readUsage' | 'addresses'>;
  #usage: Fields | null = null;
  #model: string | null = null;
  #tier: string | null = null;

  constructor(provider: Pick<Provider, 'readUsage' | 'addresses'>) {
    this.#provider = provider;
  }

  /** Looks at the headers of an answer, where its provider says something by them. What the body says counts before it. */
  lookAtHead(headers: IncomingHttpHeaders): void {
    const { addresses } = this.#provider;
    const told = addresses?.usageIn(headers) ?? {};
    if (Object.keys(told).length > 0) this.#usage = told;
    this.#tier = addresses?.tierIn(headers) ?? null;
  }

  /** Looks at a whole answer, or at the data of one event. What is no JSON object says nothing. */
  look(bytes: Buffer): void {
    const value = parseFields(bytes);
    if (value === null) return;
    // An event is about one object, or a part of one.
    for (const about of [value, value.response, value.message, value.delta]) {
      if (!isFields(about)) continue;
      this.#model = textOf(about.model) ?? textOf(about.modelVersion) ?? this.#model;
      this.#tier = textOf(about.service_tier) ?? this.#provider.addresses?.tierIn(about) ?? this.#tier;
      const reported = reportedIn(about);
      if (reported !== null) this.#usage = { ...this.#usage, ...reported };
    }
  }

  facts(): AnswerFacts {
    const told = { ...NO_FACTS, modelAnswered: this.#model, serviceTier: this.#tier };
    if (this.#usage === null) return told;
    const rawUsage = JSON.stringify(this.#usage);
    const raw = rawUsage.length > MAX_RAW_USAGE ? null : rawUsage;
    const read = this.#provider.readUsage?.(this.#usage);
    if (read === undefined) return { ...told, rawUsage: raw, usageFlags: ['usage_unread'] };
    const { usage, units = null, serviceTier, flags, costPico } = read;
    return { ...told, usage, units, serviceTier: serviceTier ?? this.#tier, rawUsage: raw, usageFlags: flags, reportedCostPico: costPico };
  }
}

/** Where providers put it: OpenAI and most, Google, Bedrock behind the last event of a model, Ollama beside all else, and Cohere where it makes no conversation. */
function reportedIn(about: Fields): Fields | null {
  const { usage, usageMetadata, meta, 'amazon-bedrock-invocationMetrics': metrics, prompt_eval_count, eval_count } = about;
  if (isFields(usage)) return usage;
  if (isFields(usageMetadata)) return usageMetadata;
  if (isFields(metrics)) return metrics;
  if (typeof prompt_eval_count === 'number' || typeof eval_count === 'number') return { prompt_eval_count, eval_count };
  return isFields(meta) && isFields(meta.billed_units) ? meta : null;
}
