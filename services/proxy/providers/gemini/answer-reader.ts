import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { AnswerEvent, FinishReason, TokenLogprob } from '../../conversation/answer-event.ts';
import type { NotCarried } from '../../conversation/dialect.ts';
import type { AnswerFacts } from '../provider.ts';
import { citationsOf } from './grounding.ts';
import { PartialArguments } from './partial-arguments.ts';
import { GeminiUsage } from './usage.ts';

/** Who takes what was understood. */
export type OnAnswerEvent = (event: AnswerEvent) => void;

/** One candidate so far. */
interface Choice {
  text: string;
  calls: number;
  /** Of the call whose arguments come in pieces. */
  pieces: PartialArguments | null;
  finished: boolean;
}

const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['STOP', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'refused'],
  ['RECITATION', 'refused'],
  ['LANGUAGE', 'refused'],
  ['BLOCKLIST', 'refused'],
  ['PROHIBITED_CONTENT', 'refused'],
  ['SPII', 'refused'],
  ['IMAGE_SAFETY', 'refused'],
  ['IMAGE_PROHIBITED_CONTENT', 'refused'],
  ['IMAGE_RECITATION', 'refused'],
]);
/** Parts that no other dialect has. */
const NO_EVENT: ReadonlySet<string> = new Set(['executableCode', 'codeExecutionResult', 'fileData', 'toolCall', 'toolResponse']);
/** Reasons by which a model says that it failed: what came is no answer, and another attempt may be one. */
const FAILURES: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'MALFORMED_RESPONSE',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
]);

/**
 * Reads the answers of Gemini, which are the same objects whole and in a stream: a whole answer is a stream of one. Calls without an id get one
 * (`call_<response>_<choice>_<n>`); an answer that stops with calls ends with `tool_calls`, since Gemini has no reason for that.
 */
export class GeminiAnswerReader {
  readonly #onEvent: OnAnswerEvent;
  readonly #onNotCarried: NotCarried;
  readonly #usage = new GeminiUsage();
  readonly #choices = new Map<number, Choice>();
  #started = false;
  #responseId = '';
  #modelAnswered: string | null = null;
  #finishReason: string | null = null;
  /** Why the model could not answer, in its words. */
  #failure: string | null = null;

  /** @param onNotCarried told by its name what the model said or did and no event can tell. */
  constructor(onEvent: OnAnswerEvent, onNotCarried: NotCarried) {
    this.#onEvent = onEvent;
    this.#onNotCarried = onNotCarried;
  }

  /**
   * @param exact the same chunk, its numbers with the digits they came with.
   * @param text the same chunk as it came.
   */
  read(chunk: Fields, exact: unknown, text: string): void {
    this.#usage.note(chunk.usageMetadata, text);
    this.#modelAnswered = textOf(chunk.modelVersion) ?? this.#modelAnswered;
    if (!this.#started) {
      this.#started = true;
      this.#responseId = textOf(chunk.responseId) ?? '';
      const { usage } = this.#usage.classes();
      this.#onEvent({ kind: 'started', id: textOf(chunk.responseId), model: this.#modelAnswered, usage });
    }
    const candidates: readonly unknown[] = Array.isArray(chunk.candidates) ? chunk.candidates : [];
    candidates.forEach((candidate, position) => {
      if (!isFields(candidate)) return;
      const index = typeof candidate.index === 'number' ? candidate.index : 0;
      this.#readCandidate(index, candidate, memberAt(exact, 'candidates', position));
    });
    if (candidates.length === 0 && isFields(chunk.promptFeedback)) this.#readFeedback(chunk.promptFeedback);
  }

  /** Whether every choice that began has ended, and one has. */
  complete(): boolean {
    for (const { finished } of this.#choices.values()) if (!finished) return false;
    return this.#choices.size > 0;
  }

  /** Tells what is known at the end only. */
  end(): void {
    const { usage } = this.#usage.classes();
    const tier = this.#usage.tier();
    if (tier !== null) this.#onEvent({ kind: 'service_tier', tier: OPENAI_TIERS.get(tier) ?? tier });
    if (usage !== null) this.#onEvent({ kind: 'usage', usage });
  }

  /** The reason by which the model says that it failed; null: it did not. */
  failure(): string | null {
    return this.#failure;
  }

  facts(): AnswerFacts {
    const { usage, flags } = this.#usage.classes();
    return {
      modelAnswered: this.#modelAnswered,
      finishReason: this.#finishReason,
      usage,
      rawUsage: this.#usage.raw(),
      usageFlags: flags,
      serviceTier: this.#usage.tier(),
      reportedCostPico: null,
    };
  }

  #choice(index: number): Choice {
    const known = this.#choices.get(index);
    if (known !== undefined) return known;
    const choice: Choice = { text: '', calls: 0, pieces: null, finished: false };
    this.#choices.set(index, choice);
    return choice;
  }

  #readCandidate(index: number, candidate: Fields, exact: unknown): void {
    const choice = this.#choice(index);
    const content = isFields(candidate.content) ? candidate.content : {};
    const parts: readonly unknown[] = Array.isArray(content.parts) ? content.parts : [];
    const exactContent = isFields(exact) ? exact.content : null;
    parts.forEach((part, position) => {
      if (isFields(part)) this.#readPart(index, choice, part, memberAt(exactContent, 'parts', position));
    });
    if (isFields(candidate.logprobsResult)) {
      const tokens = logprobsOf(candidate.logprobsResult);
      if (tokens.length > 0) this.#onEvent({ kind: 'logprobs', choice: index, tokens });
    }
    for (const citation of citationsOf(candidate, choice.text)) this.#onEvent({ kind: 'citation', choice: index, citation });
    const reason = textOf(candidate.finishReason);
    if (reason === null || choice.finished) return;
    this.#finishReason ??= reason;
    if (FAILURES.has(reason)) this.#failure = reason;
    this.#finish(index, choice, REASONS.get(reason) ?? 'stop');
  }

  #readPart(index: number, choice: Choice, part: Fields, exact: unknown): void {
    const { functionCall, text, thought } = part;
    const signature = textOf(part.thoughtSignature);
    if (isFields(functionCall)) {
      // It proves the thinking before the call; it is told with the call too, for those who keep it there.
      this.#tellSignature(index, signature);
      this.#readCall(index, choice, functionCall, isFields(exact) ? exact.functionCall : null, signature);
      return;
    }
    if (typeof text !== 'string') {
      this.#readOther(index, part);
      return;
    }
    if (thought === true) {
      if (text !== '') this.#onEvent({ kind: 'thinking', choice: index, text });
      this.#tellSignature(index, signature);
      return;
    }
    this.#tellSignature(index, signature);
    if (text === '') return;
    choice.text += text;
    this.#onEvent({ kind: 'text', choice: index, text });
  }

  /** What the model drew, or what Google's own tools did. Of a picture on the way to another the last is there too. */
  #readOther(index: number, part: Fields): void {
    const { inlineData } = part;
    if (isFields(inlineData) && typeof inlineData.data === 'string') {
      const mediaType = textOf(inlineData.mimeType) ?? '';
      if (!mediaType.startsWith('image/')) this.#onNotCarried('inlineData');
      else if (part.thought !== true) this.#onEvent({ kind: 'image', choice: index, mediaType, data: inlineData.data });
      return;
    }
    for (const name of Object.keys(part)) if (NO_EVENT.has(name)) this.#onNotCarried(name);
  }

  #tellSignature(index: number, signature: string | null): void {
    if (signature !== null) this.#onEvent({ kind: 'thinking_signature', choice: index, signature });
  }

  #readCall(index: number, choice: Choice, call: Fields, exact: unknown, signature: string | null): void {
    const name = textOf(call.name);
    if (name !== null) {
      this.#endPieces(index, choice);
      const callId = textOf(call.id) ?? `call_${this.#responseId}_${index}_${choice.calls}`;
      this.#onEvent({ kind: 'tool_call', choice: index, call: choice.calls, callId, name, signature });
      choice.calls += 1;
      const input = isFields(exact) ? exact.args : null;
      if (isFields(input) && Object.keys(input).length > 0) this.#tellInput(index, choice, JSON.stringify(input));
      if (call.willContinue === true) choice.pieces = new PartialArguments();
    }
    const pieces: readonly unknown[] = Array.isArray(call.partialArgs) ? call.partialArgs : [];
    for (const piece of pieces) {
      const json = isFields(piece) ? (choice.pieces?.write(piece) ?? null) : null;
      if (json !== null) this.#tellInput(index, choice, json);
    }
    if (call.willContinue !== true) this.#endPieces(index, choice);
  }

  #endPieces(index: number, choice: Choice): void {
    const rest = choice.pieces?.end() ?? '';
    choice.pieces = null;
    if (rest !== '') this.#tellInput(index, choice, rest);
  }

  #tellInput(index: number, { calls }: Choice, json: string): void {
    this.#onEvent({ kind: 'tool_input', choice: index, call: calls - 1, json });
  }

  #finish(index: number, choice: Choice, reason: FinishReason): void {
    this.#endPieces(index, choice);
    choice.finished = true;
    const told = reason === 'stop' && choice.calls > 0 ? 'tool_calls' : reason;
    this.#onEvent({ kind: 'finished', choice: index, reason: told, stopSequence: null });
  }

  /** A prompt that was blocked has no candidate at all. By whom is told in words, which are no refusal of the model's. */
  #readFeedback({ blockReason }: Fields): void {
    const reason = textOf(blockReason);
    if (reason === null || this.#choices.size > 0) return;
    this.#finishReason = reason;
    this.#finish(0, this.#choice(0), 'refused');
  }
}

/** Where OpenAI has a name for it. */
const OPENAI_TIERS: ReadonlyMap<string, string> = new Map([
  ['standard', 'default'],
  ['ON_DEMAND', 'default'],
  ['ON_DEMAND_FLEX', 'flex'],
  ['ON_DEMAND_PRIORITY', 'priority'],
]);

function memberAt(holder: unknown, name: string, position: number): unknown {
  const list = isFields(holder) ? holder[name] : null;
  return Array.isArray(list) ? list[position] : null;
}

function logprobsOf({ chosenCandidates, topCandidates }: Fields): TokenLogprob[] {
  const chosen: readonly unknown[] = Array.isArray(chosenCandidates) ? chosenCandidates : [];
  return chosen.flatMap((token, position) => {
    const top = Array.isArray(topCandidates) && isFields(topCandidates[position]) ? topCandidates[position].candidates : null;
    const alternatives: readonly unknown[] = Array.isArray(top) ? top : [];
    return logprobOf(token).map((logprob) => ({ ...logprob, alternatives: alternatives.flatMap(logprobOf) }));
  });
}

function logprobOf(value: unknown): Omit<TokenLogprob, 'alternatives'>[] {
  if (!isFields(value) || typeof value.token !== 'string' || typeof value.logProbability !== 'number') return [];
  return [{ token: value.token, logprob: value.logProbability, bytes: null }];
}
