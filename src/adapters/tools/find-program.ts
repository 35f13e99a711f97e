import { accessSync, constants, statSync } from 'node:fs'
import path from 'node:path'

/** Where Debian and others put programs of the system, which the PATH of a user often lacks. */
const SYSTEM_PLACES = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/**
 * The absolute path of an installed program, or `null`.
 *
 * @example findProgram('haproxy', process.env) // '/usr/sbin/haproxy'
 */
export function findProgram(
  name: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | null {
  const places = [...(env.PATH ?? '').split(path.delimiter).filter(path.isAbsolute), ...SYSTEM_PLACES]
  return places.map((place) => path.join(place, name)).find(isProgram) ?? null
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
