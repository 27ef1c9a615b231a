import { readFile } from 'node:fs/promises';
import { Compile } from 'typebox/compile';
import type { Document } from 'yaml';
import { LineCounter, parseDocument } from 'yaml';
import { StartRefusal } from '../../runtime/start-refusal.ts';
import { rangeStart, yamlMistakes } from '../../runtime/yaml-mistakes.ts';
import { OptionError, plainBehavior, refineByOption } from '../behavior.ts';
import { modelNames } from '../models.ts';
import { ScenarioDocument } from './scenario-document.ts';
import { listed, spanOf } from './scenario-step.ts';

const check = Compile(ScenarioDocument);

/**
 * Reads a scenario from a YAML file.
 * @throws {StartRefusal} listing every mistake at once with file, line, field and what was expected.
 */
export async function readScenario(path: string): Promise<ScenarioDocument> {
  const lines = new LineCounter();
  const parsed = parseDocument(await textOf(path), { lineCounter: lines, uniqueKeys: true });
  const lineOf = (offset: number | undefined): string => `${path}:${offset === undefined ? 1 : lines.linePos(offset).line}`;
  const refuse = (mistakes: readonly string[]): never => {
    throw new StartRefusal(`The scenario has ${mistakes.length} mistake(s):\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`);
  };
  if (parsed.errors.length > 0) {
    return refuse(parsed.errors.map((error) => `${lineOf(error.pos[0])}: not valid YAML: ${error.message.split('\n')[0]}`));
  }
  const value: unknown = parsed.toJS();
  if (!check.Check(value)) return refuse(yamlMistakes({ parsed, schema: ScenarioDocument, errors: check.Errors(value), lineOf }));
  const mistakes = meaninglessFields(value, parsed, lineOf);
  return mistakes.length > 0 ? refuse(mistakes) : value;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new StartRefusal(`TURNPIKE_SIM_SCENARIO: ${path} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** What a schema cannot tell: models that do not exist, ranges that end before they begin, options that mean nothing. */
function meaninglessFields(document: ScenarioDocument, parsed: Document.Parsed, lineOf: (offset: number | undefined) => string): string[] {
  const mistakes: string[] = [];
  document.steps.forEach((step, index) => {
    const note = (field: readonly string[], text: string): void => {
      const place = ['steps', String(index), ...field];
      mistakes.push(`${lineOf(rangeStart(parsed, place))}: ${place.join('.')}: ${text}`);
    };
    for (const model of listed(step.model) ?? []) {
      if (!modelNames.includes(model)) note(['model'], `no model "${model}"; expected ${modelNames.join(', ')}`);
    }
    for (const field of ['request', 'sinceStartMs'] as const) {
      const span = spanOf(step[field]);
      if (span !== null && span.to < span.from) note([field], 'expected a range whose end is not before its beginning');
    }
    for (const [name, value] of Object.entries(step.options ?? {})) {
      try {
        refineByOption(plainBehavior, name, String(value));
      } catch (error) {
        if (!(error instanceof OptionError)) throw error;
        note(['options', name], error.message);
      }
    }
  });
  return mistakes;
}
