/** A line of the journal as a reader of requestTail should be told of it. */
export type JournalLine = { readonly position: bigint; readonly requestId: string };

const mostNamed = 5;

/**
 * Holds what a subscriber received, over all its connections, against the journal: every line once, in order, and no other.
 * @param journal the lines of its organization that its first cursor did not include, by position.
 * @returns what is wrong, in words; empty when all was received.
 */
export function judgeStream(received: readonly JournalLine[], journal: readonly JournalLine[]): readonly string[] {
  const problems: string[] = [];
  const say = (problem: string): void => {
    if (problems.length < mostNamed) problems.push(problem);
  };
  let place = 0;
  for (const line of received) {
    const wanted = journal[place];
    if (wanted !== undefined && line.position === wanted.position) {
      if (line.requestId !== wanted.requestId)
        say(`position ${line.position} is ${wanted.requestId}, the subscriber was told ${line.requestId}`);
      place += 1;
    } else if (wanted === undefined || line.position < wanted.position) {
      say(`the subscriber was told of position ${line.position} a second time, or it is not in the journal`);
    } else {
      say(`the subscriber was told of position ${line.position} after ${wanted.position - 1n}: it missed ${wanted.requestId}`);
      place = journal.findIndex(({ position }) => position > line.position);
      if (place < 0) place = journal.length;
    }
  }
  if (place < journal.length)
    say(`the subscriber was never told of the last ${journal.length - place} lines, from position ${journal[place]?.position}`);
  return problems;
}
