import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
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
  const install = ['install', '--yes', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold']
  return apt(['update']) ?? startingNothing(() => apt([...install, ...packages]))
}

/** Debian asks this program before a package starts its service (invoke-rc.d(8)): the tests start what they need themselves. */
const POLICY = '/usr/sbin/policy-rc.d'
const NOT_ALLOWED = '#!/bin/sh\nexit 101\n'

function startingNothing<T>(work: () => T): T {
  if (existsSync(POLICY)) return work()
  writeFileSync(POLICY, NOT_ALLOWED, { mode: 0o755 })
  try {
    return work()
  } finally {
    rmSync(POLICY, { force: true })
  }
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
