import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const EXAMPLE = fileURLToPath(new URL('../../examples/shop', import.meta.url))
const USUAL = '127.0.0.1:8080'
/** A port of its own, so that a demo may run beside it. */
const LISTEN = '127.0.0.1:18080'

export type Workshop = { config: string; url: string; clear(): void }

/** A copy of the example shop where nothing else runs. */
export function setWorkshop(): Workshop {
  const root = mkdtempSync(path.join(tmpdir(), 'sluice-pictures-'))
  const folder = path.join(root, 'shop')
  cpSync(EXAMPLE, folder, { recursive: true, filter: (source) => path.basename(source) !== '.sluice' })
  const config = path.join(folder, 'sluice.yaml')
  writeFileSync(config, readFileSync(config, 'utf8').replace(USUAL, LISTEN))
  return { config, url: `http://${LISTEN}`, clear: () => rmSync(root, { recursive: true, force: true }) }
}
