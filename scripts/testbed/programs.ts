import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A program of the system that some suites need. Where it is missing they are skipped, and say so. */
export type Program = {
  command: string
  /** The Debian package that brings it. */
  aptPackage: string
  /** What is skipped without it. */
  suites: string
}

export const PROGRAMS: readonly Program[] = [
  { command: 'chromium', aptPackage: 'chromium', suites: 'the page in a browser' },
  { command: 'tmux', aptPackage: 'tmux', suites: 'the commands in a terminal' },
  { command: 'python3', aptPackage: 'python3', suites: 'the Python example' },
  { command: 'postgres', aptPackage: 'postgresql', suites: 'the store in PostgreSQL' },
  { command: 'prometheus', aptPackage: 'prometheus', suites: 'metrics from Prometheus' },
  {
    command: 'prometheus-alertmanager',
    aptPackage: 'prometheus-alertmanager',
    suites: 'alerts from Alertmanager',
  },
  { command: 'promtool', aptPackage: 'prometheus', suites: 'the alert rules' },
  { command: 'ps', aptPackage: 'procps', suites: 'the check for processes left behind' },
  { command: 'haproxy', aptPackage: 'haproxy', suites: 'the router haproxy, and the comparison of proxies' },
  { command: 'nginx', aptPackage: 'nginx', suites: 'the router nginx, and the comparison of proxies' },
  { command: 'openssl', aptPackage: 'openssl', suites: 'TLS of the proxy' },
  { command: 'dockerd', aptPackage: 'docker.io', suites: 'containers' },
  { command: 'ip', aptPackage: 'iproute2', suites: 'containers' },
  { command: 'docker-registry', aptPackage: 'docker-registry', suites: 'images of a registry' },
  { command: 'wrk', aptPackage: 'wrk', suites: 'the comparison of proxies (bench)' },
]

/** Debian keeps servers where ordinary users do not look, and each version of PostgreSQL in a folder of its own. */
const ALSO = ['/usr/sbin', '/usr/local/sbin', '/sbin', ...versionsIn('/usr/lib/postgresql')]

export function findProgram(command: string, path = process.env.PATH ?? ''): string | null {
  for (const folder of [...path.split(delimiter), ...ALSO]) {
    if (folder === '') continue
    try {
      accessSync(join(folder, command), constants.X_OK)
      return join(folder, command)
    } catch {
      // Not here: the next folder may have it.
    }
  }
  return null
}

function versionsIn(folder: string): string[] {
  try {
    const versions = readdirSync(folder).sort((a, b) => Number(b) - Number(a))
    return versions.map((version) => join(folder, version, 'bin'))
  } catch {
    return [] // Not installed, or kept elsewhere.
  }
}

export const missingPrograms = (path?: string): Program[] =>
  PROGRAMS.filter(({ command }) => findProgram(command, path) === null)
