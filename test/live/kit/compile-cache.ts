import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

// The tests start hundreds of processes from the sources, and each reads hundreds of files. Node keeps what it compiled
// in the folder that NODE_COMPILE_CACHE names (vitest.config.ts), but a process that is killed keeps nothing. So each part
// is loaded once here, by a process that ends by itself.

const PARTS = ['cli/main.ts', 'controller.ts', 'proxy/main.ts', 'agent/main.ts']
const urls = PARTS.map((part) => new URL(`../../../src/${part}`, import.meta.url).href)

/** Runs once before the first test of a project; a part that cannot be loaded is told by the tests themselves. */
export function setup(): void {
  const code = urls.map((url) => `await import(${JSON.stringify(url)})`).join('\n')
  spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  })
}

export const COMPILE_CACHE = fileURLToPath(new URL('../../../node_modules/.cache/compiled', import.meta.url))
