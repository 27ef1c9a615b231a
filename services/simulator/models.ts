import type { Behavior } from './behavior.ts';
import { plainBehavior, refineBehavior } from './behavior.ts';
import { errorKinds } from './failures.ts';

/** What each model does, in the words of the options. One `error-<kind>` for every kind of error joins them. */
const optionsByModel: Readonly<Record<string, string>> = {
  echo: '',
  slow: 'ttft-ms=250; token-ms=50; tokens=60',
  steady: 'ttft-ms=50; rate=100; tokens=100',
  jitter: 'ttft-ms=20..300; token-ms=0..20; tokens=40',
  long: 'tokens=2000',
  flaky: 'fail-share=0.3; fail-kinds=500,429,disconnect',
  tools: 'tool-calls=1',
  'tools-parallel': 'tool-calls=2',
  reasoning: 'reasoning-tokens=64',
  cached: 'prompt-tokens=2048; cached-tokens=1536',
  'cache-write': 'prompt-tokens=2048; cache-write-tokens=1024',
  audio: 'audio-input-tokens=24; audio-output-tokens=36',
  refusal: 'refuse=on',
  filtered: 'finish=content_filter',
  truncated: 'finish=length',
  unfinished: 'finish=missing',
  'no-usage': 'usage=none',
  'unasked-usage': 'usage=unasked',
  disconnect: 'disconnect=before',
  'disconnect-mid': 'disconnect=3; tokens=20',
  'end-early': 'disconnect=3; disconnect-by=end; tokens=20',
  stall: 'stall=before',
  'stall-mid': 'stall=3; tokens=20',
  malformed: 'malformed-at=2; tokens=20',
  'error-mid': 'error-after=3; tokens=20',
  split: 'split=7',
  crlf: 'newline=crlf',
  comments: 'comments=on',
  gzip: 'gzip=on',
};

const behaviorByModel: ReadonlyMap<string, Behavior> = new Map(
  [...Object.entries(optionsByModel), ...errorKinds.map((kind): [string, string] => [`error-${kind}`, `error=${kind}`])].map(
    ([model, options]) => [model, refineBehavior(plainBehavior, options)],
  ),
);

/** The names of all models, in the order in which they are listed. */
export const modelNames: readonly string[] = [...behaviorByModel.keys()];

/** What this model does by itself, or null where there is no such model. */
export function behaviorOfModel(model: string): Behavior | null {
  return behaviorByModel.get(model) ?? null;
}
