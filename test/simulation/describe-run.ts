import type { Simulation } from './simulate.ts';

/** A run for a person; its last line names the trace's digest. */
export function describeRun(run: Simulation): string {
  const { seed, profile, account, breach } = run;
  const lines = [
    `seed ${seed}: ${profile.eventLog} log, ${profile.proxies} proxies (${profile.durability}), ${profile.ledgers} ledgers, ${profile.apis} api nodes; ` +
      `${run.steps} steps, ${seconds(run.virtualMs)} of virtual time`,
    '',
    'what was done to it, and what it did',
    ...[...run.counts].map(([name, times]) => `${String(times).padStart(9)}  ${name}`),
    '',
  ];
  if (account !== null) {
    lines.push(
      `account: ${account.entries} entries, ${account.orphans} of them orphans, ${account.deadLetters} dead letters; ` +
        `${account.lost} admissions lost to a power cut as promised, ${account.lied} disturbed by a lying disk`,
    );
  }
  if (breach !== null) {
    lines.push(
      'the newest lines of the trace',
      ...run.newest.map((line) => `  ${line}`),
      '',
      `BROKEN  ${breach.invariant}: ${breach.detail}`,
    );
    lines.push(`to see it again: npm run sim -- --seed ${seed} --events ${run.events}`);
  } else lines.push('every invariant held');
  return `${lines.join('\n')}\ntrace ${run.trace}\n`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
