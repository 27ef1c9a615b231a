import type { Mutation } from './mutation.ts';

const mirror = 'test/leases/mirror/';
const protocol = 'services/proxy/admission/leases/';

/** Bugs of leases: of the proxy's side in the product's own source, of the database's in the mirror of its functions. */
export const leaseMutations: readonly Mutation[] = [
  {
    name: 'hold-released-while-its-call-runs',
    patch: { file: `${protocol}lease-takes.ts`, from: '    lease.free -= needed;\n', to: '' },
    seed: 5,
  },
  {
    name: 'lease-released-by-the-clock',
    patch: {
      file: `${mirror}lease-node.ts`,
      from: '  const { node, epoch, incarnation, beat, nonce } = args;\n',
      to:
        '  const { node, epoch, incarnation, beat, nonce } = args;\n' +
        '  for (const lease of database.leases.slice()) {\n' +
        '    const seen = nodeRow(database, lease.node)?.seen_at ?? 0;\n' +
        "    if (lease.closed_at === null && database.now - seen > 3_000) closeLease(database, lease, 0n, false, 'clock');\n" +
        '  }\n',
    },
    seed: 10,
  },
  {
    name: 'lease-double-spent-after-a-pause',
    patch: {
      file: `${protocol}lease-takes.ts`,
      from: "  return state.phase === 'running' && at < state.fenceAt;\n",
      to: "  return state.phase === 'running' && state.beats > 0 && at > 0;\n",
    },
    seed: 990,
  },
  {
    name: 'lease-closed-at-what-is-posted',
    patch: {
      file: `${mirror}lease-node.ts`,
      from: 'args.finals.find((each) => each.counter === lease.counter && each.epoch === lease.epoch)?.final ?? 0n;',
      to: 'database.lease_postings.find((each) => each.counter === lease.counter && each.node === lease.node && each.epoch === lease.epoch)?.posted ?? 0n;',
    },
    seed: 35,
  },
  {
    name: 'return-taken-for-a-difference',
    patch: {
      file: `${mirror}lease-return.ts`,
      from: "    if (returned <= lease.returned) return 'returned';\n    putLease(database, { ...lease, returned });\n    move(database, counter, { kind: 'return', node, epoch, amount: lease.returned - returned });",
      to: "    const more = returned < lease.granted - lease.returned ? returned : lease.granted - lease.returned;\n    putLease(database, { ...lease, returned: lease.returned + more });\n    move(database, counter, { kind: 'return', node, epoch, amount: -more });",
    },
    seed: 55,
  },
  {
    name: 'orphans-left-out-of-the-last-word',
    patch: {
      file: 'services/proxy/budgets/hold-books.ts',
      from: 'orphaned: (event) => sums.orphaned(event, clock.now()),',
      to: 'orphaned: () => {},',
    },
    seed: 35,
  },
];
