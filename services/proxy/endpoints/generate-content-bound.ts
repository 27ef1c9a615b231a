import type { GenerateContentBody, GenerateContentRequest } from '../../../schema/http/generate-content.ts';
import type { OutputCap } from '../../../schema/values/output-cap.ts';
import { isFields } from '../body/json-fields.ts';
import type { BoundingModel, TokenBound } from '../budgets/token-bound.ts';
import { tokenBound } from '../budgets/token-bound.ts';

/** Parts whose tokens their bytes bound. */
const TEXT_PARTS = ['text', 'functionCall', 'function_call', 'thoughtSignature', 'thought_signature', 'executableCode', 'executable_code'];
/** Tools that bring nothing in but what the application sends. */
const OWN_TOOLS = ['functionDeclarations', 'function_declarations'];

/**
 * Bounds a request for content from above. Media, what is cached at Google, and what tools on its side bring in are bounded by the context of the model.
 * @param bytes of the body, which `request` was parsed from.
 */
export function generateContentBound(
  { body }: GenerateContentRequest,
  bytes: Buffer,
  model: BoundingModel,
  outputCap: OutputCap | null,
): TokenBound {
  const counted = {
    textBytes: bytes.length,
    otherParts: countOtherParts(body) + countUnseen(body),
    outputLimit: generateContentLimit(body),
    choices: generateContentChoices(body),
  };
  return tokenBound(counted, model, outputCap);
}

/** The limit that a request sets each answer, thinking included, the largest of several; null: none. */
export function generateContentLimit(body: GenerateContentBody): number | null {
  return largest(body, 'maxOutputTokens', 'max_output_tokens');
}

/** Answers asked for at once, the largest of several numbers. */
export function generateContentChoices(body: GenerateContentBody): number {
  return largest(body, 'candidateCount', 'candidate_count') ?? 1;
}

function largest(
  { generationConfig, generation_config: snakeConfig }: GenerateContentBody,
  ...names: readonly ('maxOutputTokens' | 'max_output_tokens' | 'candidateCount' | 'candidate_count')[]
): number | null {
  const said = [generationConfig, snakeConfig]
    .flatMap((config) => names.map((name) => config?.[name]))
    .filter((value) => value !== undefined);
  return said.length === 0 ? null : Math.max(...said);
}

function countOtherParts({ contents }: GenerateContentBody): number {
  let count = 0;
  for (const content of contents) {
    const parts: readonly unknown[] = 'parts' in content && Array.isArray(content.parts) ? content.parts : [];
    for (const part of parts) if (!isFields(part) || !TEXT_PARTS.some((name) => name in part)) count += isPlainResult(part) ? 0 : 1;
  }
  return count;
}

/** The result of a function is text, unless it has media of its own. */
function isPlainResult(part: unknown): boolean {
  const result = isFields(part) ? (part.functionResponse ?? part.function_response) : null;
  return isFields(result) && result.parts === undefined;
}

function countUnseen(body: GenerateContentBody): number {
  const hosted = (body.tools ?? []).flatMap(Object.keys).filter((name) => !OWN_TOOLS.includes(name)).length;
  return hosted + ('cachedContent' in body || 'cached_content' in body ? 1 : 0);
}
