import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { BEDROCK_VARIABLES } from '../../services/registry/bedrock-in-environment.ts';
import { KNOWN_PROVIDERS } from '../../services/registry/known-providers.ts';
import { parseEnvironment } from '../../services/runtime/environment.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');

const Service = Type.Object({
  image: Type.String(),
  build: Type.Optional(Type.Object({ context: Type.String(), dockerfile: Type.String() })),
  command: Type.Optional(Type.Array(Type.String())),
  environment: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]))),
  healthcheck: Type.Optional(Type.Object({ test: Type.Array(Type.String()) })),
  depends_on: Type.Optional(Type.Record(Type.String(), Type.Object({ condition: Type.String() }))),
  ports: Type.Optional(Type.Array(Type.String())),
  volumes: Type.Optional(Type.Array(Type.String())),
});
const Compose = Type.Object({ services: Type.Record(Type.String(), Service), volumes: Type.Record(Type.String(), Type.Null()) });

const compose = Value.Parse(Compose, parse(read('infra/compose.yaml'), { merge: true }));
const services = Object.entries(compose.services);
const providerVariables = [...KNOWN_PROVIDERS.map(({ variable }) => variable), ...BEDROCK_VARIABLES];
const ours = services.filter(([, service]) => service.image === 'turnpike');
const serving = ours.filter(([, service]) => service.healthcheck !== undefined);
const instructions = read('infra/Dockerfile')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [name = '', ...rest] = line.trim().split(/\s+/);
    return { name, rest };
  });
const of = (name: string) => instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
const imageVariables = Object.fromEntries(
  of('ENV').flatMap((pairs) => pairs.map((pair): [string, string] => [pair.split('=')[0] ?? '', pair.split('=')[1] ?? ''])),
);

/** Secrets as somebody would fill them in. */
const filled: Readonly<Record<string, string>> = {
  POSTGRES_PASSWORD: 'a1',
  TURNPIKE_DATABASE_PASSWORD: 'b2',
  TURNPIKE_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
};
const interpolate = (text: string): string => text.replace(/\$\{(\w+):\?[^}]*\}/g, (_whole, name: string) => filled[name] ?? '');

describe('infra/compose.yaml', () => {
  test('has Kafka, PostgreSQL and two of each process that may be many', () => {
    expect(Object.keys(compose.services)).toEqual(
      expect.arrayContaining(['kafka', 'postgres', 'migrate', 'bootstrap', 'ledger-1', 'ledger-2', 'proxy-1', 'proxy-2', 'api']),
    );
    expect(compose.services.kafka?.image).toBe(`apache/kafka:${/<kafka\.version>([\d.]+)</.exec(read('infra/kafka/pom.xml'))?.[1]}`);
  });

  test.each(ours)('%s runs a program that exists with variables that mean something', (_name, service) => {
    expect(existsSync(`${root}/${service.command?.[0]}`)).toBe(true);
    expect(existsSync(`${root}/infra/${service.build?.context}/${service.build?.dockerfile}`)).toBe(true);
    const given = Object.fromEntries(
      Object.entries({ ...imageVariables, ...service.environment }).flatMap(([name, value]) =>
        value === null ? [] : [[name, interpolate(value)]],
      ),
    );
    const asked = new Set<string>();
    parseEnvironment(
      new Proxy(given, {
        get: (target, name) => {
          asked.add(String(name));
          return Reflect.get(target, name);
        },
      }),
      '/app',
    );
    for (const variable of providerVariables) asked.add(variable);
    expect(Object.keys(service.environment ?? {}).filter((name) => !asked.has(name))).toEqual([]);
  });

  test.each(serving)('%s is asked whether it is ready where it listens', (_name, service) => {
    const kind = /services\/(\w+)\/main\.ts/.exec(service.command?.[0] ?? '')?.[1]?.toUpperCase();
    expect(service.healthcheck?.test.join(' ')).toContain(`http://127.0.0.1:${imageVariables[`TURNPIKE_${kind}_PORT`]}/readyz`);
    for (const port of service.ports ?? [])
      expect(port).toMatch(new RegExp(`^127\\.0\\.0\\.1:\\d+:${imageVariables[`TURNPIKE_${kind}_PORT`]}$`));
  });

  test('PostgreSQL is asked over TCP, where the server that initializes a data folder does not listen', () => {
    expect(compose.services.postgres?.healthcheck?.test).toEqual(expect.arrayContaining(['pg_isready', '-h', '127.0.0.1']));
  });

  test('every proxy that may offer a provider is given its credential, and who makes the first models too', () => {
    for (const name of ['proxy-1', 'proxy-2', 'bootstrap']) {
      const environment = Object.keys(compose.services[name]?.environment ?? {});
      expect(environment).toEqual(expect.arrayContaining(providerVariables));
    }
  });

  test('holds no secret: each is named, required and empty in the example', () => {
    const named = new Set(read('infra/compose.yaml').match(/(?<=\$\{)\w+(?=:\?)/g));
    expect([...named].sort()).toEqual(Object.keys(filled).sort());
    for (const name of named) expect(read('infra/turnpike.env.example')).toMatch(new RegExp(`^${name}=$`, 'm'));
    for (const [, service] of services) {
      for (const [name, value] of Object.entries(service.environment ?? {})) {
        if (/PASSWORD|KEY|SECRET/.test(name) && value !== null) expect(value).toMatch(/^\$\{\w+:\?/);
      }
    }
    expect(read('.gitignore')).toContain('infra/turnpike.env\n');
  });

  test('waits only for what is there, and gives each proxy a spool of its own', () => {
    for (const [, service] of services) {
      for (const other of Object.keys(service.depends_on ?? {})) expect(compose.services).toHaveProperty(other);
    }
    const mounted = services.flatMap(([, service]) => (service.volumes ?? []).map((volume) => volume.split(':')[0]));
    expect([...new Set(mounted)].sort()).toEqual(Object.keys(compose.volumes).sort());
    expect(mounted).toHaveLength(new Set(mounted).size);
    for (const name of ['proxy-1', 'proxy-2']) {
      expect(compose.services[name]?.volumes?.[0]).toContain(`:${imageVariables.TURNPIKE_HOME}`);
    }
  });
});

describe('infra/Dockerfile', () => {
  test('runs as nobody in particular, on the Node that the product needs, without build tools or packages for development', () => {
    expect(of('FROM').map(([image]) => image)).toEqual(['node:24-slim', 'node:24-slim']);
    expect(of('USER')).toEqual([['1000:1000']]);
    const last = instructions.map(({ name }) => name).lastIndexOf('FROM');
    const commands = instructions.slice(last).filter(({ name }) => name === 'RUN');
    expect(commands.map(({ rest }) => rest.join(' ')).join(' ')).not.toMatch(/npm (ci|i)|apt|apk/);
    expect(of('RUN')[0]?.join(' ')).toContain('npm ci --omit=dev --omit=optional');
  });

  test('copies what exists and what its ignore file lets through', () => {
    const letThrough = read('infra/Dockerfile.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    const copied = of('COPY').flatMap((parts) => (parts[0]?.startsWith('--from') ? [] : parts.slice(0, -1)));
    expect(copied.filter((path) => !existsSync(`${root}/${path}`) || !letThrough.includes(path.replace('./', '')))).toEqual([]);
  });
});
