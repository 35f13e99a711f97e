import { spawnSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Makes what the package ships: plain JavaScript in dist/, without tests, and the page in web/dist/.
// Both are emptied first, so that a file which was renamed or removed does not ship (Vite empties its own folder).

const root = fileURLToPath(new URL('..', import.meta.url))
const at = (...parts: string[]): string => join(root, ...parts)
const RUNNABLE = 0o755

rmSync(at('dist'), { recursive: true, force: true })
run('compiling src to dist', at('node_modules/.bin/tsc'), ['-p', 'src/tsconfig.build.json'])
chmodSync(at('dist/main.js'), RUNNABLE)

run('building the page', 'npm', ['run', '--silent', 'build', '--workspace', 'web'])

function run(what: string, command: string, args: string[]): void {
  console.error(`build: ${what}`)
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (error !== undefined) console.error(`build: ${command} could not be started: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}
