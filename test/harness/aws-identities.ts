import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:http';

/** A request for credentials, as it came. */
export interface IdentityRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** What STS is asked by; else empty. */
  readonly form: URLSearchParams;
}

/**
 * Who gives temporary credentials in AWS, on a real socket: STS, and what containers (`/container`) and instances ask for those of their role. They are
 * `ASIA1`, `ASIA2`, …
 */
export interface AwsIdentities {
  readonly url: string;
  readonly requests: IdentityRequest[];
  /** How long the next ones live. */
  lifeSeconds: number;
  /** Set to have STS refuse with that code. */
  refusal: string | null;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

const METADATA = '/latest/meta-data/iam/security-credentials/';
const ROLE = 'instance-role';

export async function startAwsIdentities(): Promise<AwsIdentities> {
  let given = 0;
  const credentials = () => {
    given += 1;
    const expiration = new Date(Date.now() + identities.lifeSeconds * 1_000).toISOString();
    return { AccessKeyId: `ASIA${given}`, SecretAccessKey: `secret ${given}`, Expiration: expiration, token: `session ${given}` };
  };
  const answerOf = ({ path, form }: IdentityRequest): readonly [status: number, type: string, body: string] => {
    if (path === '/latest/api/token') return [200, 'text/plain', 'metadata-token'];
    if (path === METADATA) return [200, 'text/plain', ROLE];
    if (path === METADATA + ROLE || path === '/container') {
      const { token, ...others } = credentials();
      return [200, 'application/json', JSON.stringify({ Code: 'Success', ...others, Token: token })];
    }
    const { refusal } = identities;
    if (refusal !== null)
      return [403, 'text/xml', xml('ErrorResponse', { Error: { Code: refusal, Message: 'not authorized to take the role' } })];
    const { token, ...others } = credentials();
    const action = form.get('Action') ?? '';
    return [200, 'text/xml', xml(`${action}Response`, { [`${action}Result`]: { Credentials: { ...others, SessionToken: token } } })];
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
      const asked = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, form };
      identities.requests.push(asked);
      const [status, type, body] = answerOf(asked);
      response.writeHead(status, { 'content-type': type });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const identities: AwsIdentities = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    lifeSeconds: 3_600,
    refusal: null,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return identities;
}

interface Elements {
  readonly [name: string]: string | Elements;
}

function xml(name: string, content: string | Elements): string {
  const inner =
    typeof content === 'string'
      ? content
      : Object.entries(content)
          .map(([child, value]) => xml(child, value))
          .join('');
  return `<${name}>${inner}</${name}>`;
}
