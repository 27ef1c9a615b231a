/** Longest line that is kept whole; what is longer goes on in pieces, so that a child cannot fill our memory. */
const longestLineBytes = 64 * 1024;

/** Cuts a child's output into lines, across the boundaries of what arrives. */
export function createLineSplitter(onLine: (line: string) => void): { readonly push: (part: string) => void; readonly end: () => void } {
  let rest = '';
  return {
    push: (part) => {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
      while (rest.length > longestLineBytes) {
        onLine(rest.slice(0, longestLineBytes));
        rest = rest.slice(longestLineBytes);
      }
    },
    end: () => {
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}

/** What a line of a child says, in a few words for a person: of a structured record the message and its error, else the line. */
export function gistOf(line: string): string {
  const record = parseRecord(line);
  const text = record === null ? line : [record.msg, record.error?.message].filter(Boolean).join(': ');
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function parseRecord(line: string): { readonly msg?: unknown; readonly error?: { readonly message?: unknown } } | null {
  if (!line.startsWith('{')) return null;
  try {
    const record: unknown = JSON.parse(line);
    return typeof record === 'object' && record !== null && 'msg' in record ? record : null;
  } catch {
    return null;
  }
}
