/** The oldest Node that runs the product's TypeScript as it stands. */
export const oldestNodeMajor = 24;

/**
 * Which Node runs the product: the one package-lock.json pins for this platform, or, where there is none, the machine's own if new enough.
 *
 * @param {object} machine
 * @param {string | null} machine.bundledVersion what our platform package's binary answers to `--version`; null when absent or unable to run.
 * @param {string} machine.bundledPath
 * @param {string} machine.ownVersion as `process.version` of the Node that runs the bootstrap.
 * @param {string} machine.ownPath
 * @param {string} machine.platform
 * @param {string} machine.arch
 * @returns {{ path: string } | { problem: string }}
 */
export function chooseNode({ bundledVersion, bundledPath, ownVersion, ownPath, platform, arch }) {
  if (bundledVersion !== null && majorOf(bundledVersion) >= oldestNodeMajor) return { path: bundledPath };
  if (majorOf(ownVersion) >= oldestNodeMajor) return { path: ownPath };
  return {
    problem:
      `turnpike needs Node ${oldestNodeMajor} or newer. No Node package for ${platform}-${arch} is installed (or it does not run here), ` +
      `and the machine's own is ${ownVersion}.\nInstall Node ${oldestNodeMajor} from https://nodejs.org and run the same command again.`,
  };
}

/**
 * @param {string} version such as `v24.21.0`.
 * @returns {number} NaN, which is smaller than nothing and larger than nothing, for what is no version.
 */
export function majorOf(version) {
  return Number.parseInt(version.replace(/^v/, ''), 10);
}
