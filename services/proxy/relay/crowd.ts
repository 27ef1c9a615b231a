/** Something that is in at most one crowd, and remembers where. */
export interface CrowdMember {
  /** Written by the crowd alone. */
  crowdPosition: number;
}

/** An unordered set of what comes and goes with every request. */
export interface Crowd<T extends CrowdMember> {
  add(member: T): void;
  /** Nothing happens when it is not in. */
  delete(member: T): void;
  /** How many are in it. */
  size(): number;
  /** Those in it now, as a list of its own. */
  members(): readonly T[];
}

/**
 * A list in which the last member takes the place of one that leaves. Not a `Set`: V8 gives a set a new table every few
 * additions and links each old table to the next; once one dead table is in the old generation, that chain keeps every later
 * one, and all its members with everything they refer to, alive through each young collection (9 kB a request were promoted).
 */
export function createCrowd<T extends CrowdMember>(): Crowd<T> {
  const crowd: T[] = [];
  return {
    add: (member) => {
      member.crowdPosition = crowd.length;
      crowd.push(member);
    },
    delete: (member) => {
      if (crowd[member.crowdPosition] !== member) return;
      const last = crowd.pop();
      if (last === undefined || last === member) return;
      crowd[member.crowdPosition] = last;
      last.crowdPosition = member.crowdPosition;
    },
    size: () => crowd.length,
    members: () => [...crowd],
  };
}
