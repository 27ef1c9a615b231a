import type { Profile } from './describe-profile.ts';
import { nameOf } from './describe-profile.ts';

const width = 1_400;
const rowHeight = 16;
const headHeight = 30;
/** Narrower frames are not drawn. */
const leastPixels = 0.6;
const pixelsPerCharacter = 6.2;

type Frame = { readonly name: string; selfUs: number; totalUs: number; readonly callees: Map<string, Frame> };

/** A profile as an SVG flame graph: callers above, what they call below, as wide as the time in it. Idle time is left out. */
export function flameGraph(profile: Profile, title: string): string {
  const root = frameTree(profile);
  const rows: string[] = [];
  let depth = 0;
  const draw = (frame: Frame, x: number, level: number): void => {
    const pixels = (frame.totalUs / root.totalUs) * width;
    if (pixels < leastPixels) return;
    depth = Math.max(depth, level);
    rows.push(rectangle(frame, x, level, pixels, root.totalUs));
    let at = x;
    for (const callee of [...frame.callees.values()].sort((left, right) => right.totalUs - left.totalUs)) {
      draw(callee, at, level + 1);
      at += (callee.totalUs / root.totalUs) * width;
    }
  };
  draw(root, 0, 0);
  const height = headHeight + (depth + 1) * rowHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="monospace" font-size="10">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="6" y="19" font-size="14">${escaped(title)}</text>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function frameTree({ nodes, samples, timeDeltas }: Profile): Frame {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callerOf = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child): [number, number] => [child, id])));
  const root: Frame = { name: 'all', selfUs: 0, totalUs: 0, callees: new Map() };
  for (const [index, id] of samples.entries()) {
    const us = Math.max(0, timeDeltas[index] ?? 0);
    const stack = stackOf(id, byId, callerOf);
    if (stack.at(-1) === '(idle)') continue;
    let frame = root;
    frame.totalUs += us;
    for (const name of stack) {
      const callee = frame.callees.get(name) ?? { name, selfUs: 0, totalUs: 0, callees: new Map() };
      frame.callees.set(name, callee);
      callee.totalUs += us;
      frame = callee;
    }
    frame.selfUs += us;
  }
  return root;
}

/** Names from the outermost caller inwards, without the profile's own root. */
function stackOf(
  id: number,
  byId: ReadonlyMap<number, Profile['nodes'][number]>,
  callerOf: ReadonlyMap<number, number>,
): readonly string[] {
  const names: string[] = [];
  for (let at: number | undefined = id; at !== undefined; at = callerOf.get(at)) {
    const node = byId.get(at);
    if (node !== undefined && callerOf.has(at)) names.push(nameOf(node.callFrame));
  }
  return names.reverse();
}

function rectangle({ name, totalUs, selfUs }: Frame, x: number, level: number, pixels: number, allUs: number): string {
  const y = headHeight + level * rowHeight;
  const share = (us: number): string => `${((100 * us) / allUs).toFixed(2)} %`;
  const characters = Math.floor((pixels - 4) / pixelsPerCharacter);
  const label = characters < 3 ? '' : `<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${escaped(name.slice(0, characters))}</text>`;
  const box = `<rect x="${x.toFixed(1)}" y="${y}" width="${pixels.toFixed(1)}" height="${rowHeight - 1}" fill="${colorOf(name)}"/>`;
  return `<g><title>${escaped(name)}: ${share(totalUs)}, itself ${share(selfUs)}</title>${box}${label}</g>`;
}

/** Ours, packages, Node, and what is neither. */
function colorOf(name: string): string {
  if (name.includes(' services/') || name.includes(' schema/')) return '#f4a261';
  if (name.includes('node_modules/')) return '#e9d8a6';
  return name.includes(' node:') ? '#a8d5ba' : '#cfd8dc';
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
