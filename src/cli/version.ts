import { readFileSync } from 'node:fs'

/** The version of this installation, from the package.json two folders up (`src/cli` and `dist/cli` alike). */
export function ownVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  const found: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (typeof found === 'object' && found !== null && 'version' in found && typeof found.version === 'string')
    return found.version
  throw new Error(`${file.pathname} has no version`)
}
