import { startProxy, testModel } from '../../harness/proxy.ts';

/**
 * A proxy alone in a process, so that its memory is its own: `node memory-process.ts <provider's base URL> <limits as JSON>`. Its providers `acme`,
 * `anthropic` and `gemini` are that one, in three dialects. Tells where it listens and its key, and ends with its parent.
 */
const [, , provider = '', limits = '{}'] = process.argv;
process.on('disconnect', () => process.exit());
const { url, key } = await startProxy({
  providers: { acme: provider, anthropic: provider, gemini: provider },
  protocols: { anthropic: 'anthropic', gemini: 'gemini' },
  models: [testModel('acme/fast'), testModel('anthropic/fast'), testModel('gemini/fast')],
  limits: JSON.parse(limits),
});
process.send?.({ url, key });
