/** What a process under test gets of the surrounding shell: where programs are, and the run's compiled modules (compile-cache.ts). */
export function inheritedVariables(): Readonly<Record<string, string>> {
  const { PATH = '', NODE_COMPILE_CACHE: compileCache } = process.env;
  return compileCache === undefined ? { PATH } : { PATH, NODE_COMPILE_CACHE: compileCache };
}
