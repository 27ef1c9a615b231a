import { expect, test } from 'vitest';
import { OPTIONS_HELP, parseCommandLine } from './command-line.ts';

const nothing = (): undefined => undefined;
const peerOf = (args: readonly string[], key?: string) => {
  const command = parseCommandLine(args, (variable) => (variable === 'TURNPIKE_BENCH_PEER_KEY' ? key : undefined));
  if (command.kind !== 'run') throw new Error(JSON.stringify(command));
  return command.options.peer;
};

test('a peer alone means W1, with defaults for all but its address', () => {
  expect(parseCommandLine(['--peer', 'http://127.0.0.1:8080/v1'], nothing)).toMatchObject({
    kind: 'run',
    workload: 'W1',
    options: {
      rounds: 3,
      peer: {
        url: new URL('http://127.0.0.1:8080/v1'),
        name: 'peer',
        model: 'echo',
        key: null,
        pid: null,
        upstreamPort: 4300,
        waitMs: 300_000,
      },
    },
  });
  expect(parseCommandLine(['w1', '--rounds', '2'], nothing)).toMatchObject({ kind: 'run', options: { rounds: 2, peer: null } });
});

test('everything about a peer can be said, its key in the environment alone', () => {
  const args = '--peer https://gateway.example/openai/v1/ --peer-model openai/echo --peer-pid 4711 --upstream-port 9001 --peer-wait 5';
  expect(peerOf([...args.split(' '), '--peer-name', 'Other Gateway 2.1'], 'sk-peer')).toEqual({
    url: new URL('https://gateway.example/openai/v1/'),
    name: 'Other Gateway 2.1',
    model: 'openai/echo',
    key: 'sk-peer',
    pid: 4711,
    upstreamPort: 9001,
    waitMs: 5_000,
  });
  expect(peerOf(['--peer', 'http://127.0.0.1:1'], '')?.key).toBeNull();
});

test.each([
  [[], 'expected one workload'],
  [['W1', 'ingest'], 'expected one workload'],
  [['--peer-key', 'sk-1'], "Unknown option '--peer-key'"],
  [['W1', '--rounds', '0'], '--rounds: expected a whole number'],
  [['--peer', 'localhost:8080'], '--peer: expected a base URL'],
  [['--peer', 'http://me:secret@127.0.0.1/v1'], '--peer: expected a bare base URL; a key goes into TURNPIKE_BENCH_PEER_KEY'],
  [['--peer', 'http://127.0.0.1/v1?key=1'], '--peer: expected a bare base URL'],
  [['ingest', '--peer', 'http://127.0.0.1/v1'], '--peer: only W1'],
  [['--peer', 'http://127.0.0.1/v1', '--profile'], '--peer: it cannot be profiled'],
  [['--peer', 'http://127.0.0.1/v1', '--write'], '--peer: the README'],
  [['--peer', 'http://127.0.0.1/v1', '--peer-name', 'turnpike'], '--peer-name: expected'],
  [['--peer', 'http://127.0.0.1/v1', '--peer-name', 'a | b'], '--peer-name: expected'],
  [['--peer', 'http://127.0.0.1/v1', '--upstream-port', '70000'], '--upstream-port: expected a whole number from 1 to 65535'],
  [['W1', '--peer-pid', '1'], '--peer-pid: goes with --peer'],
])('%j is refused: %s', (args, fault) => {
  const command = parseCommandLine(args, nothing);
  expect(command).toMatchObject({ kind: 'mistake', fault: expect.stringContaining(fault) });
  expect(JSON.stringify(command)).not.toContain('secret');
});

test('the help names every option', () => {
  expect(parseCommandLine(['--help'], nothing)).toEqual({ kind: 'help' });
  for (const option of [
    '--peer ',
    '--upstream-port',
    '--peer-model',
    '--peer-name',
    '--peer-pid',
    '--peer-wait',
    'TURNPIKE_BENCH_PEER_KEY',
  ]) {
    expect(OPTIONS_HELP).toContain(option);
  }
});
