import { expect, test } from 'vitest';
import { explainFailure } from '../../../infra/bootstrap/install.mjs';

test.each([
  ['npm error code ENOTFOUND', 1, /cannot reach its registry/],
  ['npm error code ECONNREFUSED', 1, /cannot reach its registry/],
  ['npm error code ENOSPC', 1, /disk is full/],
  ['npm error code EACCES\nnpm error path /project/node_modules/x', 1, /may not write \/project\/node_modules\/x\. .*another user/],
  ['npm error code EUSAGE', 1, /do not agree.*complete-lock/],
  ['', 'not started', /npm could not be started/],
  ['', 'SIGTERM', /was stopped/],
  ['npm error something new', 7, /npm ci failed \(7\)/],
])('%j says what to do', (output, code, expected) => {
  expect(explainFailure(output, code)).toMatch(expected);
});

test("npm's own words stand below the explanation", () => {
  expect(explainFailure('npm error code ENOSPC\n', 1)).toMatch(/npm said:\nnpm error code ENOSPC$/);
});
