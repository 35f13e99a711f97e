import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = new URL('../../../shared/vectors/', import.meta.url)

/** Reference cases from other projects lie beside the checkout, in `../shared/vectors`, and are no part of it. `null`: not there. */
export function sharedVectors(path: string): unknown {
  const file = fileURLToPath(new URL(path, FOLDER))
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null
}
