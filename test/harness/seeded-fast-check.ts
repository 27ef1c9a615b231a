import { createRequire } from 'node:module';

const library: { readonly default: typeof import('fast-check').default } = createRequire(import.meta.url)('fast-check');

/**
 * What the tests get as `fast-check` (vitest.config.ts): it with a seed of ours. Each run tries the same values, so that what one of
 * them breaks is found by the change that broke it, and not by chance with another one. TURNPIKE_TEST_SEED tries others.
 */
const fc = library.default;
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env.TURNPIKE_TEST_SEED ?? 20_261_121) });

// biome-ignore lint/style/noDefaultExport: it stands for a module that has one.
export default fc;
