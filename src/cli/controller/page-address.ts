import { readFileSync } from 'node:fs'
import path from 'node:path'
import { readRuntime } from './runtime-file.ts'

/** Address of the page with the token that logs in; `null` while no controller has said where it listens. */
export function pageAddress(stateFolder: string): string | null {
  const url = readRuntime(stateFolder)?.controller?.url
  if (url === undefined) return null
  try {
    const token = readFileSync(path.join(stateFolder, 'token'), 'utf8').trim()
    return `${url}/login?token=${encodeURIComponent(token)}`
  } catch {
    return url
  }
}
