import type { Environment } from '../../runtime/environment.ts';
import { StartRefusal } from '../../runtime/start-refusal.ts';
import { readEndpoints } from '../start/endpoints.ts';

/** Where the API is, and who asks. The key is a secret. */
export type ApiAccess = { readonly graphqlUrl: string; readonly adminKey: string };

/**
 * Finds the API: the address given on the command line, else TURNPIKE_API_URL, else that of the installation in TURNPIKE_HOME; the
 * key of TURNPIKE_ADMIN_KEY, else the installation's own, which is never sent to another address.
 * @throws StartRefusal naming what is missing.
 */
export async function findApi(
  environment: Pick<Environment, 'home' | 'apiUrl' | 'adminKey'>,
  givenUrl: string | undefined,
): Promise<ApiAccess> {
  const { home, apiUrl, adminKey } = environment;
  const asked = givenUrl ?? apiUrl;
  const local = await readEndpoints(home);
  if (asked === null) {
    if (local === null) {
      throw new StartRefusal(
        `No API is known: there is no endpoints.json in ${home}, and neither --url nor TURNPIKE_API_URL says where it is. ` +
          'Start one with `npm start`, or set TURNPIKE_API_URL and TURNPIKE_ADMIN_KEY.',
      );
    }
    return { graphqlUrl: local.graphqlUrl, adminKey: adminKey ?? local.adminKey };
  }
  const graphqlUrl = graphqlUrlOf(asked);
  const key = adminKey ?? (local?.graphqlUrl === graphqlUrl ? local.adminKey : null);
  if (key === null) throw new StartRefusal(`TURNPIKE_ADMIN_KEY is not set: ${graphqlUrl} needs an admin key, tpk_adm_…`);
  return { graphqlUrl, adminKey: key };
}

/** An origin such as `http://127.0.0.1:4100` means its `/graphql`. */
function graphqlUrlOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new StartRefusal('--url: expected http://host:port or http://host:port/graphql, without a user or password');
  }
  if (url.pathname === '/') url.pathname = '/graphql';
  return url.href;
}
