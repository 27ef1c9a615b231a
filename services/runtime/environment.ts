import { resolve } from 'node:path';
import { parseCidr } from './address-list.ts';
import type { ArmedFailpoint } from './failpoints/parse-failpoints.ts';
import { parseFailpoints } from './failpoints/parse-failpoints.ts';
import type { KafkaEnvironment } from './kafka-environment.ts';
import { parseKafkaEnvironment } from './kafka-environment.ts';
import type { MailEnvironment } from './mail-environment.ts';
import { parseMailEnvironment } from './mail-environment.ts';
import { StartRefusal } from './start-refusal.ts';
import type { Variables } from './variables.ts';

/** How soon a spool record is safe from a power cut: grouped within 5 ms, or before going on (DESIGN, "The spool"). */
export type Durability = 'group' | 'strict';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What a process was told by its environment, parsed once. Ports of 0 mean any free port. */
export type Environment = {
  /** Absolute path of the folder that holds all state. */
  readonly home: string;
  readonly host: string;
  /** Blocks of addresses whose `X-Forwarded-For` is believed; none by default. */
  readonly trustedProxies: readonly string[];
  readonly proxyPort: number;
  readonly apiPort: number;
  readonly simulatorPort: number;
  /** Health and metrics of the ledger. */
  readonly ledgerPort: number;
  /** Absolute path of the YAML file with the simulator's scenario, or null for none. */
  readonly simulatorScenarioPath: string | null;
  /** A secret: it carries the password. Null where none was given. */
  readonly databaseUrl: string | null;
  /** Of the database's owner, for migrations: a secret. Null where the processes' login owns it. */
  readonly databaseOwnerUrl: string | null;
  /** Null where the event log is not Kafka. Never log it whole: it holds secrets. */
  readonly kafka: KafkaEnvironment | null;
  /** Whether the event log under `home` is meant although a database is given: `npm start` says so to what it starts. */
  readonly embeddedLog: boolean;
  /** Where commands find the API; null where it is that of the installation in `home`. */
  readonly apiUrl: string | null;
  /** Who commands are to the API: a secret. Null where it is the administrator of the installation in `home`. */
  readonly adminKey: string | null;
  /** Absolute path of a YAML file or folder, or null. */
  readonly configPath: string | null;
  /** 32 bytes, or null where the key is to be taken from `home`. */
  readonly masterKey: Buffer | null;
  readonly durability: Durability;
  /** The mail server for alerts, or null: then no mail is sent. Never log it whole: it may hold a password. */
  readonly mail: MailEnvironment | null;
  /** Null where not set: each process has its own default. */
  readonly logLevel: LogLevel | null;
  /** Where the processes fail on purpose, in a test; none otherwise. */
  readonly failpoints: readonly ArmedFailpoint[];
};

const masterKeyBytes = 32;
const clearNumber = /^\d{1,5}$/;
const base64 = /^[A-Za-z0-9+/]{43}=$/;

/**
 * Parses variables into an `Environment`.
 * @throws StartRefusal listing every mistake at once: the variable, what was expected, and the value unless it is a secret.
 */
export function parseEnvironment(variables: Variables, workingDirectory: string): Environment {
  const problems: string[] = [];
  /** An empty variable counts as one not set: that is what `VAR= command` means to most people. */
  const given = (name: string): string | null => variables[name]?.trim() || null;

  const port = (name: string, fallback: number): number => {
    const text = given(name);
    if (text === null) return fallback;
    if (clearNumber.test(text) && Number(text) <= 65_535) return Number(text);
    problems.push(`${name}: expected a port from 0 to 65535 (0 means any free port), found ${JSON.stringify(text)}`);
    return fallback;
  };
  const choice = <Value extends string>(name: string, values: readonly Value[]): Value | null => {
    const text = given(name);
    const value = values.find((candidate) => candidate === text);
    if (text !== null && value === undefined) {
      problems.push(`${name}: expected one of ${values.join(', ')}, found ${JSON.stringify(text)}`);
    }
    return value ?? null;
  };
  const databaseAt = (name: string): string | null => {
    const url = given(name);
    if (url !== null && !isPostgresUrl(url)) {
      problems.push(`${name}: expected postgresql://user:password@host:port/database (value not shown: it may hold a password)`);
    }
    return url;
  };
  const apiUrl = given('TURNPIKE_API_URL');
  if (apiUrl !== null && !isHttpUrl(apiUrl)) {
    problems.push('TURNPIKE_API_URL: expected http://host:port, without a user or password (value not shown: it may hold one)');
  }
  const adminKey = given('TURNPIKE_ADMIN_KEY');
  if (adminKey !== null && !adminKey.startsWith('tpk_adm_')) {
    problems.push('TURNPIKE_ADMIN_KEY: expected an admin key, tpk_adm_… (value not shown: it is a secret)');
  }
  const masterKeyText = given('TURNPIKE_MASTER_KEY');
  if (masterKeyText !== null && !base64.test(masterKeyText)) {
    problems.push(`TURNPIKE_MASTER_KEY: expected ${masterKeyBytes} bytes in base64, 44 characters (value not shown: it is a secret)`);
  }
  const kafka = parseKafkaEnvironment(variables, workingDirectory, problems);
  const embeddedLog = choice('TURNPIKE_EVENT_LOG', ['embedded']) !== null;
  if (embeddedLog && kafka !== null) problems.push('TURNPIKE_EVENT_LOG: is embedded although KAFKA_BROKERS is set; unset one of the two');
  const host = given('TURNPIKE_HOST') ?? '127.0.0.1';
  if (/[\s/]/.test(host)) {
    problems.push(`TURNPIKE_HOST: expected a host name or an address, found ${JSON.stringify(host)}`);
  }
  const blocks = (name: string): readonly string[] => {
    const texts = (given(name) ?? '').split(',').flatMap((text) => text.trim() || []);
    for (const text of texts) {
      const cidr = parseCidr(text);
      if (cidr === null) {
        problems.push(
          `${name}: expected blocks of addresses such as 10.0.0.0/8, separated by commas, with no bit set beyond a prefix; found ${JSON.stringify(text)}`,
        );
      } else if (cidr.prefix === 0) {
        problems.push(`${name}: ${text} would believe everybody about where they are; name the proxies in front`);
      }
    }
    return texts;
  };
  const path = (name: string): string | null => {
    const text = given(name);
    return text === null ? null : resolve(workingDirectory, text);
  };

  const environment: Environment = {
    home: resolve(workingDirectory, given('TURNPIKE_HOME') ?? '.turnpike'),
    host,
    trustedProxies: blocks('TURNPIKE_TRUSTED_PROXIES'),
    proxyPort: port('TURNPIKE_PROXY_PORT', 4000),
    apiPort: port('TURNPIKE_API_PORT', 4100),
    simulatorPort: port('TURNPIKE_SIM_PORT', 4200),
    ledgerPort: port('TURNPIKE_LEDGER_PORT', 0),
    simulatorScenarioPath: path('TURNPIKE_SIM_SCENARIO'),
    databaseUrl: databaseAt('DATABASE_URL'),
    databaseOwnerUrl: databaseAt('DATABASE_OWNER_URL'),
    kafka,
    embeddedLog,
    apiUrl,
    adminKey,
    configPath: path('TURNPIKE_CONFIG'),
    masterKey: masterKeyText === null ? null : Buffer.from(masterKeyText, 'base64'),
    mail: parseMailEnvironment(variables, problems),
    durability: choice('TURNPIKE_DURABILITY', ['group', 'strict']) ?? 'group',
    logLevel: choice('TURNPIKE_LOG_LEVEL', logLevels),
    failpoints: parseFailpoints(variables, problems),
  };
  if (problems.length > 0) {
    throw new StartRefusal(`The environment has ${problems.length} mistake(s):\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
  return environment;
}

function isPostgresUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'postgresql:' || url.protocol === 'postgres:');
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

/**
 * The environment of this process.
 * @throws StartRefusal as `parseEnvironment` does.
 */
export function readEnvironment(): Environment {
  return parseEnvironment(process.env, process.cwd());
}

/** A provider's credential by the name of its variable, or null where it is not set. Never log what comes back. */
export function readCredential(variable: string): string | null {
  return process.env[variable]?.trim() || null;
}

/** What a child process gets: everything this one was given, with `overrides` on top and `defaults` for what was not given. */
export function childEnvironment(overrides: Variables, defaults: Variables = {}): Variables {
  return { ...defaults, ...process.env, ...overrides };
}
