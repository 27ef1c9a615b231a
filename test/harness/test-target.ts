import type { ProviderProtocol } from '../../schema/values/provider-protocol.ts';
import type { CompiledModel } from '../../services/proxy/snapshot/compiled-model.ts';

/** A model of a provider that speaks the protocol, for what needs one but no proxy. */
export function testTarget(protocol: ProviderProtocol, baseUrl = 'http://provider.test/v1'): CompiledModel {
  return {
    id: 'mdl_1',
    name: 'test/model',
    provider: { id: 'prv_1', organizationId: null, name: 'test', protocol, baseUrl, credential: null, options: {} },
    credential: { kind: 'none' },
    upstreamModel: 'model',
    createdAt: 0,
    contextWindow: null,
    maxOutputTokens: null,
    prices: [],
  };
}
