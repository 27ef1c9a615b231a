import { apiVersionQuery } from '../../../registry/provider-access.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';

/**
 * Where an endpoint is found at Azure, below the base URL:
 * - without an API version the base URL is that of the v1 API (`…/openai/v1`), where the deployment is named by the body alone;
 * - with one, and a base URL that ends in `/openai`, the deployment is part of the path;
 * - with one, and any other base URL (`…/models` of Azure AI), only the version is added.
 */
export function azurePath(endpoint: string, { provider, upstreamModel }: CompiledModel): string {
  const { apiVersion } = provider.options;
  if (apiVersion === undefined) return endpoint;
  const deployment = provider.baseUrl.endsWith('/openai') ? `/deployments/${encodeURIComponent(upstreamModel)}` : '';
  return `${deployment}${endpoint}${apiVersionQuery(apiVersion)}`;
}
