import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { configText } from './config-text.ts'
import { mapOf } from './names.ts'
import { type KeptHere, placedIn } from './own.ts'
import { entriesOf, textOf } from './table.ts'

export const CONFIG = 'haproxy.cfg'

/** The configuration and the maps beside it, as HAProxy reads them at its next start. Each is replaced as a whole. */
export async function writeFiles(folder: string, kept: KeptHere): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const placed of placedIn(kept))
    await replace(join(folder, mapOf(placed.routes.service)), textOf(entriesOf(placed)))
  await replace(join(folder, CONFIG), configText(kept))
}

/** After the service is gone: HAProxy no longer reads its map. */
export const removeMap = (folder: string, service: string): Promise<void> =>
  rm(join(folder, mapOf(service)), { force: true })

/** Not synced: what counts after a crash of the machine is `routes.json`, and these are written anew before each start. */
async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`
  await writeFile(temporary, text, { mode: 0o600 })
  await rename(temporary, path)
}
