import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A certificate for 127.0.0.1 and localhost that is its own authority, good for two days. */
export interface Certificate {
  /** PKCS #12 with key and certificate. */
  readonly storePath: string;
  /** PKCS #12 with the certificate alone, as Java wants what it trusts. */
  readonly trustPath: string;
  /** PEM of the authority to trust. */
  readonly caPath: string;
  /** Of both stores. */
  readonly password: string;
}

/** Makes one in `folder`. Needs the JDK's keytool, which is part of every Java runtime. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const certificate = {
    storePath: join(folder, 'server.p12'),
    trustPath: join(folder, 'trust.p12'),
    caPath: join(folder, 'ca.pem'),
    password: 'test-only',
  };
  const stored = (path: string): string[] => ['-keystore', path, '-storetype', 'PKCS12', '-storepass', certificate.password];
  const own = [...stored(certificate.storePath), '-alias', 'server'];
  const name = ['-dname', 'CN=localhost', '-ext', 'san=ip:127.0.0.1,dns:localhost'];
  await run('keytool', ['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '2', ...name, ...own]);
  await run('keytool', ['-exportcert', '-rfc', '-file', certificate.caPath, ...own]);
  await run('keytool', ['-importcert', '-noprompt', '-file', certificate.caPath, ...stored(certificate.trustPath)]);
  return certificate;
}

/** Lines of a broker's server.properties that make it speak TLS by this certificate, and trust itself. */
export function brokerProperties({ storePath, trustPath, password }: Certificate): readonly string[] {
  return [
    `ssl.keystore.location=${storePath}`,
    'ssl.keystore.type=PKCS12',
    `ssl.keystore.password=${password}`,
    // The broker checks at its start that it could speak to itself.
    `ssl.truststore.location=${trustPath}`,
    'ssl.truststore.type=PKCS12',
    `ssl.truststore.password=${password}`,
  ];
}
