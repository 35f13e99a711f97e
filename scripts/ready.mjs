// Runs before `npm start` and `npm test`, in plain JavaScript that the system's Node (20 or later) can read.
// It installs the locked dependencies when they are missing or older than the lock, and builds the page.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const at = (...parts) => join(root, ...parts)
const modifiedMs = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0)
const newestMs = (folder) =>
  Math.max(0, ...readdirSync(folder, { recursive: true }).map((name) => modifiedMs(join(folder, name))))

function run(what, command, args) {
  console.error(`sluice: ${what}`)
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (status !== 0) process.exit(status ?? 1)
}

// No dependency needs a script of its own to be installed, and none gets to run one.
if (modifiedMs(at('node_modules/.package-lock.json')) < modifiedMs(at('package-lock.json')))
  run('installing dependencies (npm ci)', 'npm', [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ])

const pageSourcesMs = Math.max(
  newestMs(at('web/src')),
  modifiedMs(at('web/index.html')),
  modifiedMs(at('package-lock.json')),
)
if (modifiedMs(at('web/dist/index.html')) < pageSourcesMs)
  run('building the page', 'npm', ['run', '--silent', 'build', '--workspace', 'web'])
