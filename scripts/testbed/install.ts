import { spawnSync } from 'node:child_process'
import { findProgram, type Program } from './programs.ts'

/** A mirror that hangs must not hang the tests. */
const APT_TIMEOUT_MS = 5 * 60_000
const QUIET = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }

/** Installs what is missing with apt-get, where that is possible. Gives the reason when it is not. */
export function installPrograms(missing: readonly Program[]): string | null {
  const packages = [...new Set(missing.map(({ aptPackage }) => aptPackage))]
  if (findProgram('apt-get') === null)
    return 'apt-get is missing: install them with the package manager of this system.'
  if (process.getuid?.() !== 0) return `this needs root: sudo apt-get install ${packages.join(' ')}`
  return (
    apt(['update']) ??
    apt(['install', '--yes', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold', ...packages])
  )
}

function apt(words: readonly string[]): string | null {
  const { status, error } = spawnSync('apt-get', ['-q', ...words], {
    env: QUIET,
    stdio: ['ignore', 2, 2],
    timeout: APT_TIMEOUT_MS,
  })
  if (error !== undefined) return `apt-get ${words[0]} failed: ${error.message}`
  return status === 0 ? null : `apt-get ${words[0]} ended with code ${status}.`
}
