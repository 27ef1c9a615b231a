import { apiVersionQuery } from '../../../registry/provider-access.ts';
import type { SnapshotProvider } from '../../../registry/snapshot.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';

const RESPONSES = '/responses';

/**
 * Where an endpoint is found at Azure, below the base URL:
 * - without an API version the base URL is that of the v1 API (`…/openai/v1`), where the deployment is named by the body alone;
 * - with one, and a base URL that ends in `/openai`, the deployment is part of the path;
 *   but not for responses, whose body names it there too;
 * - with one, and any other base URL (`…/models` of Azure AI), only the version is added.
 */
export function azurePath(endpoint: string, { provider, upstreamModel }: CompiledModel): string {
  const { apiVersion } = provider.options;
  if (apiVersion === undefined) return endpoint;
  const isOfDeployment = provider.baseUrl.endsWith('/openai') && endpoint !== RESPONSES;
  const deployment = isOfDeployment ? `/deployments/${encodeURIComponent(upstreamModel)}` : '';
  return `${deployment}${endpoint}${apiVersionQuery(apiVersion)}`;
}

/** Where files and batches are: no deployment is in the path, the lines of a file name it. */
export function azureAccountPath(path: string, { options: { apiVersion } }: SnapshotProvider): string {
  return path + apiVersionQuery(apiVersion);
}
