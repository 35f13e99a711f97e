import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Folder } from './folder.ts'

const here = fileURLToPath(import.meta.url)
/** The same program file in sources (`.ts`) and in the package (`.js`). */
const MAIN = path.join(path.dirname(here), '..', `main${path.extname(here)}`)

/** What is started for a part, before its own words. */
export const programOf = (name: 'proxy' | 'agent'): [string, ...string[]] => [
  process.execPath,
  MAIN,
  `internal-${name}`,
]

/** Starts the data plane or the agent in a session of its own: it outlives this controller on purpose. */
export function startProgram(name: 'proxy' | 'agent', folder: Folder, more: readonly string[] = []): void {
  const log = openSync(path.join(folder.root, `${name}.log`), 'a', 0o600)
  const [command, ...words] = programOf(name)
  const child = spawn(
    command,
    [...words, '--folder', folder[name], '--socket', folder.sockets[name], ...more],
    {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: folder.root,
      // Neither needs the store, and its address holds a password.
      env: { ...process.env, SLUICE_DATABASE_URL: undefined },
    },
  )
  child.on('error', () => undefined)
  child.unref()
  closeSync(log)
}
