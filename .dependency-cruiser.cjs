// Who may import whom. `npm run check` enforces it, and test/infra/import-rules.test.ts proves that it bites.
// The direction is: schema <- libraries <- processes. process.env has one reader too; Biome's noProcessEnv sees to that.
const libraries = 'registry|journal|pricing|eventlog|runtime';
const processes = 'proxy|ledger|api|simulator|cli|console';
const product = '^(schema|services|migrations|codegen\\.ts)';

/** Only `file` may import the package, so that what surrounds it (pools, limits, shutdown) is decided in one place. Tests are free. */
const onlyImporter = (name, file, why) => ({
  name: `only-importer-of-${name}`,
  comment: why,
  severity: 'error',
  from: { path: product, pathNot: `^${file.replaceAll('.', '\\.')}$` },
  to: { path: `(^|/)node_modules/(@types/)?${name}/|^${name}$` },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'schema-imports-nothing-of-ours',
      comment: 'Contracts are what everything else depends on; one that depended on an implementation could not be frozen.',
      severity: 'error',
      from: { path: '^schema/' },
      to: { path: '^(services|infra|migrations|test)/|^codegen\\.ts$' },
    },
    {
      name: 'schema-does-no-io',
      comment:
        'No I/O, no clock, no environment in the contracts, so that any process, test or browser can load them. Hashing and checksums are pure.',
      severity: 'error',
      from: { path: '^schema/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer|util|zlib)$' },
    },
    {
      name: 'values-stand-first',
      comment: 'Money, ids and durations are used by every other contract, so they may use none of them.',
      severity: 'error',
      from: { path: '^schema/values/' },
      to: { path: '^schema/', pathNot: '^schema/values/' },
    },
    {
      name: 'graphql-stands-last',
      comment: 'An event or a table must not change because the API does.',
      severity: 'error',
      from: { path: '^schema/', pathNot: '^schema/graphql/' },
      to: { path: '^schema/graphql/' },
    },
    {
      name: 'graphql-reaches-data-through-ports',
      comment:
        'Resolvers see the shapes of rows and the ports in schema/graphql/context.ts, never SQL; so the SDL builds without a database.',
      severity: 'error',
      from: { path: '^schema/graphql/' },
      to: { path: '^schema/tables/|(^|/)node_modules/kysely/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'libraries-stand-alone',
      comment:
        'What needs two libraries is composed in a process. All may use runtime; registry uses journal, so that no change can skip its audit row.',
      severity: 'error',
      from: { path: `^services/(${libraries})/`, pathNot: '^services/registry/' },
      to: { path: `^services/(${libraries})/`, pathNot: ['^services/$1/', '^services/runtime/'] },
    },
    {
      name: 'registry-uses-only-runtime-and-journal',
      comment: 'See libraries-stand-alone.',
      severity: 'error',
      from: { path: '^services/registry/' },
      to: { path: `^services/(${libraries})/`, pathNot: '^services/(registry|runtime|journal)/' },
    },
    {
      name: 'libraries-know-no-process',
      comment: 'The arrow points from processes to libraries.',
      severity: 'error',
      from: { path: `^services/(${libraries})/` },
      to: { path: `^services/(${processes})/` },
    },
    {
      name: 'processes-never-meet-in-code',
      comment: 'They meet in the event log and in Postgres, so each can be restarted, scaled and replaced alone.',
      severity: 'error',
      from: { path: `^services/(${processes})/` },
      to: { path: `^services/(${processes})/`, pathNot: '^services/$1/' },
    },
    {
      name: 'nothing-imports-a-main',
      comment: 'A main starts a process when it is loaded.',
      severity: 'error',
      from: {},
      to: { path: '^services/[^/]+/main\\.ts$' },
    },
    {
      name: 'product-knows-no-test',
      comment: 'What only tests need must not be able to run in production.',
      severity: 'error',
      from: { path: product },
      to: { path: '^test/' },
    },
    {
      name: 'product-knows-no-infrastructure',
      comment: 'How it is installed and started is not its business.',
      severity: 'error',
      from: { path: product },
      to: { path: '^infra/' },
    },
    {
      name: 'bootstrap-needs-nothing-installed',
      comment: "It runs before there is a node_modules, under the machine's Node.",
      severity: 'error',
      from: { path: '^infra/bootstrap/' },
      to: { path: '(^|/)node_modules/' },
    },
    {
      name: 'bootstrap-needs-only-itself',
      comment: "The machine's Node may be 20, which cannot read our TypeScript.",
      severity: 'error',
      from: { path: '^infra/bootstrap/' },
      to: { path: '^(schema|services|migrations|test)/|\\.ts$' },
    },
    onlyImporter('pg', 'services/runtime/postgres.ts', 'Pools, time-outs, roles and type parsers are set in one place.'),
    onlyImporter('ws', 'services/api/websocket.ts', 'Payload limits, back-pressure and drain of sockets are set in one place.'),
    onlyImporter(
      'kafkajs',
      'services/eventlog/kafka/[a-z-]+.ts',
      'Its idempotent producer loses data under concurrent sends; one adapter knows and serializes.',
    ),
    onlyImporter(
      'nodemailer',
      'services/api/alerts/mail-sender.ts',
      'Time limits, TLS for passwords and what is kept of answers are set in one place.',
    ),
    {
      name: 'no-cycles',
      comment:
        'Files in a cycle cannot be understood, tested or moved one at a time. Type imports count: they tie meanings together just as much.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'product-uses-no-development-dependency',
      comment: 'It would be missing in production.',
      severity: 'error',
      from: { path: '^(schema|services|migrations)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'dependencies-are-declared',
      comment: 'A package that is only there because another needs it disappears when that one changes.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'imports-resolve',
      comment: 'An import that this tool cannot resolve is one whose direction it cannot check.',
      severity: 'error',
      from: {},
      // A package of types alone has nothing to resolve to.
      to: { couldNotResolve: true, pathNot: '^@graphql-typed-document-node/core$' },
    },
  ],
  options: {
    doNotFollow: { path: '(^|/)node_modules/' },
    exclude: { path: '^test/fixtures/' },
    // Type imports are dependencies too.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
