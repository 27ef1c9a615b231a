import { fileURLToPath } from 'node:url';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** What V8's sampling profiler gives, as far as it is read here (Chrome DevTools protocol, Profiler.Profile). */
const ProfileSchema = Type.Object({
  nodes: Type.Array(
    Type.Object({
      id: Type.Integer(),
      callFrame: Type.Object({ functionName: Type.String(), url: Type.String(), lineNumber: Type.Integer() }),
      children: Type.Optional(Type.Array(Type.Integer())),
    }),
  ),
  samples: Type.Array(Type.Integer()),
  timeDeltas: Type.Array(Type.Number()),
});
export type Profile = Static<typeof ProfileSchema>;

const check = Compile(ProfileSchema);
export const parseProfile = (value: unknown): Profile => check.Parse(value);

const shown = 40;
const projectFolder = fileURLToPath(new URL('../../..', import.meta.url));

/** The costliest functions by the time in themselves, for a person. */
export function describeProfile(profile: Profile, requests: number): string {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const selfUs = new Map<string, number>();
  for (const [index, id] of profile.samples.entries()) {
    const name = names.get(id) ?? '(unknown)';
    selfUs.set(name, (selfUs.get(name) ?? 0) + Math.max(0, profile.timeDeltas[index] ?? 0));
  }
  selfUs.delete('(idle)');
  const total = [...selfUs.values()].reduce((sum, us) => sum + us, 0);
  const lines = [...selfUs]
    .sort(([, left], [, right]) => right - left)
    .slice(0, shown)
    .map(([name, us]) => `${((100 * us) / total).toFixed(1).padStart(5)} %  ${(us / requests).toFixed(2).padStart(7)} µs/request  ${name}`);
  return [`${requests} requests, ${(total / requests).toFixed(1)} µs each on the main thread, profiler included`, ...lines].join('\n');
}

/** A function's name with its place in the project or the runtime. */
export function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const place = url.replace('file://', '').replace(projectFolder, '').replace(/^\//, '');
  return place === '' ? functionName || '(native)' : `${functionName || '(anonymous)'} ${place}:${lineNumber + 1}`;
}
