import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { providerRecording } from '../../harness/provider-recordings.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import { startScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { recordingScript } from '../../harness/serve-recording.ts';
import { PYTHON, pythonLacks } from './python-runtime.ts';
import { toldBy } from './told-by.ts';

const run = promisify(execFile);
const timeoutMs = 240_000;
const missing = pythonLacks(['boto3', 'botocore']);
/** By the path that is asked. */
const RECORDINGS: Readonly<Record<string, string>> = {
  '/model/nova/converse': 'converse.sync.text',
  '/model/nova/converse-stream': 'converse-stream.stream.text',
  '/model/nova/invoke': 'invoke.sync.parallel-tools',
  '/model/nova/invoke-with-response-stream': 'invoke-with-response-stream',
  '/model/refusing/converse': 'converse.sync.error-400_context',
  '/model/throttling/converse-stream': 'converse-stream.stream.exception',
};

test(`boto3 works unmodified with Bedrock${missing === null ? '' : ` (${missing})`}`, { timeout: timeoutMs }, async (context) => {
  context.skip(missing !== null, missing ?? '');
  await using upstream = await startScriptedUpstream((response, request) =>
    recordingScript(providerRecording(`bedrock/${RECORDINGS[request.path]}`))(response, request),
  );
  await using proxy = await startProxy({
    providers: { bedrock: new URL(upstream.baseUrl).origin },
    protocols: { bedrock: 'bedrock' },
    providerCredential: { env: 'BEDROCK' },
    credentials: { BEDROCK: 'ABSKcredential' },
    models: [testModel('bedrock/nova')],
  });
  const script = fileURLToPath(new URL('boto3-client.py', import.meta.url));
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, TURNPIKE_URL: proxy.url, AWS_BEARER_TOKEN_BEDROCK: proxy.key, AWS_EC2_METADATA_DISABLED: 'true' };
  const { stdout } = await run(PYTHON, [script], { env, timeout: timeoutMs });
  const told = toldBy(stdout);
  expect(told).toHaveLength(4);
  for (const [requestId, input, output] of told) {
    expect(await proxy.eventOf(requestId)).toMatchObject({ outcome: 'succeeded', model: 'bedrock/nova', usage: { input, output } });
  }
  expect(new Set(upstream.requests.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer ABSKcredential']));
});
