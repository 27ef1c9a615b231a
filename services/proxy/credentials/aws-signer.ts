import { createHash, createHmac } from 'node:crypto';
import type { Checksum, SourceData } from '@smithy/types';
import type { Clock } from '../../runtime/clock.ts';

/** What signs for an account of AWS. */
export interface AwsIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of those that expire. */
  readonly sessionToken?: string;
}

/** A request that is finished: nothing of it may change any more. */
export interface SignableRequest {
  readonly method: string;
  /** With the host it goes to; its path is encoded already. */
  readonly url: URL;
  /** Those that are signed besides its host, by their names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The headers that a signature is, flat. */
export type SignAws = (request: SignableRequest, identity: AwsIdentity) => Promise<readonly string[]>;

/** Signs by AWS's Signature Version 4. The library is loaded with the first request, since most installations have none. */
export function createAwsSigner(options: { readonly service: string; readonly region: string; readonly clock: Clock }): SignAws {
  const { service, region, clock } = options;
  return async ({ method, url, headers: signed, body }, identity) => {
    const { SignatureV4 } = await import('@smithy/signature-v4');
    const signer = new SignatureV4({ service, region, credentials: identity, sha256: Sha256, applyChecksum: false });
    const request = {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...signed, host: url.host },
      body,
    };
    const { headers } = await signer.sign(request, { signingDate: new Date(clock.now()) });
    return Object.entries(headers).flatMap(([name, value]) => (name === 'host' || signed[name] !== undefined ? [] : [name, value]));
  };
}

/** Node's own, for the library: many times as fast as one in JavaScript, which counts where a body is a document. */
class Sha256 implements Checksum {
  #hash: { update(data: Uint8Array | string): unknown; digest(): Buffer };

  constructor(secret?: SourceData) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: SourceData): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = createHash('sha256');
  }
}

function bytesOf(data: SourceData): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}
