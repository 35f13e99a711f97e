import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { certificateListOf, certificateListText } from './certificate-list.ts'
import { configText } from './config-text.ts'
import { doorsIn } from './door.ts'
import { certificateOf, mapOf } from './names.ts'
import { type KeptHere, type Placed, placedIn } from './own.ts'
import { entriesOf, textOf } from './table.ts'

export const CONFIG = 'haproxy.cfg'

/**
 * The configuration and what stands beside it, as HAProxy reads it at its next start. Each file is replaced as a whole. Of
 * certificates and keys there are only links: HAProxy reads them where they are.
 */
export async function writeFiles(folder: string, kept: KeptHere): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const placed of placedIn(kept)) {
    await replace(join(folder, mapOf(placed.routes.service)), textOf(entriesOf(placed)))
    await linkCertificate(folder, placed)
  }
  for (const door of doorsIn(kept))
    if (door.isSecure) await replace(join(folder, certificateListOf(door)), certificateListText(door))
  await replace(join(folder, CONFIG), configText(kept))
}

async function linkCertificate(folder: string, { routes, place: { tls } }: Placed): Promise<void> {
  if (tls === null) return
  const path = join(folder, certificateOf(routes.service))
  await replaceLink(path, tls.certificate)
  await replaceLink(keyBeside(path), tls.key)
}

/** Where HAProxy looks for the key of a certificate that has none in its own file. */
const keyBeside = (path: string): string => `${path}.key`

/** After a service or an address is gone: HAProxy no longer reads what belonged to it alone. */
export async function removeRest(folder: string, kept: KeptHere): Promise<void> {
  const needed = new Set([
    ...placedIn(kept).flatMap(({ routes: { service } }) => [
      mapOf(service),
      certificateOf(service),
      keyBeside(certificateOf(service)),
    ]),
    ...doorsIn(kept).map(certificateListOf),
  ])
  for (const name of await readdir(folder))
    if (OURS.test(name) && !needed.has(name)) await rm(join(folder, name), { force: true })
}

/** Maps, lists and links, by the hashes that `names.ts` makes. */
const OURS = /^[ds][0-9a-f]{10}\.(map|pem|pem\.key|crts)$/

/** Not synced: what counts after a crash of the machine is `routes.json`, and these are written anew before each start. */
async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`
  await writeFile(temporary, text, { mode: 0o600 })
  await rename(temporary, path)
}

async function replaceLink(path: string, target: string): Promise<void> {
  const temporary = `${path}.new`
  await rm(temporary, { force: true })
  await symlink(resolve(target), temporary)
  await rename(temporary, path)
}
