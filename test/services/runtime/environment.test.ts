import { expect, test } from 'vitest';
import { childEnvironment, parseEnvironment } from '../../../services/runtime/environment.ts';
import { StartRefusal } from '../../../services/runtime/start-refusal.ts';

const mistakesOf = (variables: Record<string, string>): string => {
  try {
    parseEnvironment(variables, '/work');
  } catch (error) {
    if (error instanceof StartRefusal) return error.message;
    throw error;
  }
  return '';
};

test('an empty environment gives the defaults of DESIGN.md, with home made absolute', () => {
  expect(parseEnvironment({}, '/some where')).toEqual({
    home: '/some where/.turnpike',
    host: '127.0.0.1',
    trustedProxies: [],
    proxyPort: 4000,
    apiPort: 4100,
    simulatorPort: 4200,
    ledgerPort: 0,
    simulatorScenarioPath: null,
    databaseUrl: null,
    databaseOwnerUrl: null,
    kafka: null,
    embeddedLog: false,
    apiUrl: null,
    adminKey: null,
    configPath: null,
    masterKey: null,
    mail: null,
    durability: 'group',
    logLevel: null,
    failpoints: [],
  });
});

test('an empty variable counts as one not set', () => {
  expect(parseEnvironment({ TURNPIKE_PROXY_PORT: '', TURNPIKE_HOME: ' ', KAFKA_BROKERS: '' }, '/work')).toEqual(
    parseEnvironment({}, '/work'),
  );
});

test('what is given is taken, port 0 included', () => {
  const masterKey = Buffer.alloc(32, 7);
  const environment = parseEnvironment(
    {
      TURNPIKE_HOME: 'state',
      TURNPIKE_HOST: '::1',
      TURNPIKE_API_PORT: '0',
      TURNPIKE_SIM_SCENARIO: 'scenarios/outage.yaml',
      TURNPIKE_CONFIG: '/etc/turnpike',
      TURNPIKE_MASTER_KEY: masterKey.toString('base64'),
      TURNPIKE_DURABILITY: 'strict',
      TURNPIKE_LOG_LEVEL: 'debug',
      DATABASE_URL: 'postgresql://a@b/c',
    },
    '/work',
  );
  expect(environment).toMatchObject({
    home: '/work/state',
    host: '::1',
    apiPort: 0,
    simulatorScenarioPath: '/work/scenarios/outage.yaml',
    configPath: '/etc/turnpike',
    durability: 'strict',
    logLevel: 'debug',
  });
  expect(environment.masterKey).toEqual(masterKey);
});

test('all mistakes are told at once, each with its variable and what was expected', () => {
  const message = mistakesOf({
    TURNPIKE_PROXY_PORT: '65536',
    TURNPIKE_API_PORT: '-1',
    TURNPIKE_SIM_PORT: '4200x',
    TURNPIKE_DURABILITY: 'maybe',
    TURNPIKE_LOG_LEVEL: 'loud',
    TURNPIKE_HOST: 'http://here',
    KAFKA_BROKERS: 'broker',
  });
  expect(message.split('\n')).toHaveLength(8);
  for (const name of ['PROXY_PORT', 'API_PORT', 'SIM_PORT', 'DURABILITY', 'LOG_LEVEL', 'HOST'])
    expect(message).toContain(`  TURNPIKE_${name}: expected`);
  expect(message).toContain('KAFKA_BROKERS: expected host:port');
  expect(message).toContain('found "4200x"');
});

test('the value of a secret is never shown', () => {
  const message = mistakesOf({ TURNPIKE_MASTER_KEY: 'hunter2', DATABASE_URL: 'mysql://root:hunter2@db' });
  expect(message).toContain('TURNPIKE_MASTER_KEY');
  expect(message).toContain('DATABASE_URL');
  expect(message).not.toContain('hunter2');
});

test('given servers are taken; the embedded log and Kafka at once are refused', () => {
  const given = { DATABASE_URL: 'postgresql://app@db/turnpike', KAFKA_BROKERS: 'kafka:9092' };
  expect(parseEnvironment({ ...given, DATABASE_OWNER_URL: 'postgresql://owner@db/turnpike' }, '/work')).toMatchObject({
    databaseOwnerUrl: 'postgresql://owner@db/turnpike',
    kafka: { connection: { brokers: ['kafka:9092'] } },
    embeddedLog: false,
  });
  expect(parseEnvironment({ DATABASE_URL: given.DATABASE_URL, TURNPIKE_EVENT_LOG: 'embedded' }, '/work').embeddedLog).toBe(true);
  expect(mistakesOf({ ...given, TURNPIKE_EVENT_LOG: 'embedded' })).toContain('TURNPIKE_EVENT_LOG');
});

test('trusted proxies are blocks of addresses; nobody is trusted by default, and never everybody', () => {
  expect(parseEnvironment({ TURNPIKE_TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.7 ,2001:db8::/32,' }, '/work').trustedProxies).toEqual([
    '10.0.0.0/8',
    '192.0.2.7',
    '2001:db8::/32',
  ]);
  for (const wrong of ['10.0.0.1/8', 'balancer', '10.0.0.0/8;10.1.0.0/16', '0.0.0.0/0', '::/0']) {
    expect(mistakesOf({ TURNPIKE_TRUSTED_PROXIES: wrong })).toContain('TURNPIKE_TRUSTED_PROXIES: ');
  }
});

test('a child gets what this process was given, with overrides on top of it and defaults below', () => {
  const given = process.env.PATH;
  const variables = childEnvironment({ TURNPIKE_HOME: '/work' }, { PATH: '/nowhere', TURNPIKE_NEVER_GIVEN: 'a default' });
  expect(variables).toMatchObject({ PATH: given, TURNPIKE_HOME: '/work', TURNPIKE_NEVER_GIVEN: 'a default' });
});
