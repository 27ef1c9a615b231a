import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brokerProperties, makeCertificate } from './certificate.ts';
import { ownBroker } from './kafka.ts';

/** A broker that asks everybody who they are, over TLS, and allows nothing that no ACL allows. */
export interface SecuredKafka {
  readonly address: string;
  /** PEM of the authority to trust. */
  readonly caPath: string;
  /** May do everything. */
  readonly administrator: { readonly username: string; readonly password: string };
  /** May do nothing yet; known by every password mechanism. */
  readonly user: { readonly username: string; readonly password: string };
  end(): Promise<void>;
}

export async function startSecuredKafka(): Promise<SecuredKafka> {
  const folder = await mkdtemp(join(tmpdir(), 'turnpike-kafka-tls-'));
  const certificate = await makeCertificate(folder);
  const administrator = { username: 'admin', password: 'admin-of-the-test' };
  const user = { username: 'turnpike', password: 'pike-of-the-test' };
  const plain = [
    `org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="${administrator.password}"`,
    `user_admin="${administrator.password}" user_turnpike="${user.password}";`,
  ].join(' ');
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const bearer = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";';
  try {
    const broker = await ownBroker({
      protocol: 'SASL_SSL',
      properties: [
        ...brokerProperties(certificate),
        'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
        'sasl.mechanism.inter.broker.protocol=PLAIN',
        `listener.name.clients.plain.sasl.jaas.config=${plain}`,
        `listener.name.clients.scram-sha-256.sasl.jaas.config=${scram}`,
        `listener.name.clients.scram-sha-512.sasl.jaas.config=${scram}`,
        `listener.name.clients.oauthbearer.sasl.jaas.config=${bearer}`,
        'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        // The controller's own listener asks nobody, and is reached from this machine alone.
        'super.users=User:admin;User:ANONYMOUS',
      ],
      formatArguments: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name="${user.username}",password="${user.password}"]`,
      ]),
      entry: { sasl: { mechanism: 'plain', ...administrator }, ssl: { ca: [await readFile(certificate.caPath, 'utf8')] } },
    });
    return {
      address: broker.address,
      caPath: certificate.caPath,
      administrator,
      user,
      end: async () => {
        await broker.end();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
