import { expect, test } from 'vitest';
import { findApi } from '../../../../services/cli/api/api-access.ts';
import { composeEndpoints, writeEndpoints } from '../../../../services/cli/start/endpoints.ts';
import { StartRefusal } from '../../../../services/runtime/start-refusal.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';

const origins = { proxy: 'http://127.0.0.1:1', api: 'http://127.0.0.1:2', simulator: 'http://127.0.0.1:3' };
const local = composeEndpoints(origins, { adminKey: 'tpk_adm_local', demoKey: 'tpk_ak_local' });

async function aHome(): Promise<string> {
  const home = await temporaryFolder();
  await writeEndpoints(home, local);
  return home;
}

test('without anything said it is the installation in the home, with its key', async () => {
  const home = await aHome();
  await expect(findApi({ home, apiUrl: null, adminKey: null }, undefined)).resolves.toEqual({
    graphqlUrl: 'http://127.0.0.1:2/graphql',
    adminKey: 'tpk_adm_local',
  });
  await expect(findApi({ home, apiUrl: null, adminKey: 'tpk_adm_mine' }, undefined)).resolves.toMatchObject({ adminKey: 'tpk_adm_mine' });
});

test('the command line wins over the environment, and an origin means its /graphql', async () => {
  const home = await aHome();
  const environment = { home, apiUrl: 'http://variable:4100', adminKey: 'tpk_adm_mine' };
  await expect(findApi(environment, undefined)).resolves.toMatchObject({ graphqlUrl: 'http://variable:4100/graphql' });
  await expect(findApi(environment, 'https://option/api/graphql')).resolves.toMatchObject({ graphqlUrl: 'https://option/api/graphql' });
});

test("the installation's own key is never sent to another address", async () => {
  const home = await aHome();
  await expect(findApi({ home, apiUrl: 'http://127.0.0.1:2', adminKey: null }, undefined)).resolves.toMatchObject({
    adminKey: 'tpk_adm_local',
  });
  await expect(findApi({ home, apiUrl: 'http://127.0.0.1:9', adminKey: null }, undefined)).rejects.toThrow('TURNPIKE_ADMIN_KEY is not set');
});

test('what is missing is said, and a password in the address is not repeated', async () => {
  const home = await temporaryFolder();
  await expect(findApi({ home, apiUrl: null, adminKey: null }, undefined)).rejects.toThrow(/No API is known.*npm start/s);
  const refusal = await findApi({ home, apiUrl: null, adminKey: 'tpk_adm_x' }, 'http://me:hunter2@host').catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(StartRefusal);
  expect(String(refusal)).not.toContain('hunter2');
});
