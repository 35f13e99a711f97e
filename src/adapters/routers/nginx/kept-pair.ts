import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import path from 'node:path'
import * as z from 'zod'
import { TlsFiles } from '../../../core/shared/entry.ts'
import { type Leaf, leafIn, namesIn, type Pair } from '../../../tls/pair.ts'
import { replaceDurably } from '../../tools/durable-file.ts'

/**
 * The certificate that clients of a service are shown. nginx reads its files again with each change, so the certificate,
 * which is public, is kept as it was when it fitted its key. The key is read where it is.
 */
export const KeptPair = z.object({
  /** As the routes name them. */
  files: TlsFiles,
  /** Of the certificate, and the name of our copy of it. */
  digest: z.string(),
  /** Where the key is, links followed: a renewal that switches a link leaves the old key in its place. */
  key: z.string(),
  names: z.array(z.string()),
})
export type KeptPair = z.infer<typeof KeptPair>

/** As the configuration needs it. `file` is relative to the folder of nginx. */
export const ShownPair = z.object({
  digest: z.string(),
  file: z.string(),
  key: z.string(),
  names: z.array(z.string()),
})
export type ShownPair = z.infer<typeof ShownPair>

const FOLDER = 'certificates'
const fileOf = (digest: string): string => `${FOLDER}/${digest}.pem`

export const shownPair = ({ digest, key, names }: KeptPair): ShownPair => ({
  digest,
  file: fileOf(digest),
  key,
  names,
})

/** Why nginx cannot read a file there, or `null`: its configuration knows no way to write `$`, and lines end. */
export const whyNotKey = ({ key }: TlsFiles): string | null =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
  /[$\u0000-\u001f\u007f]/.test(key)
    ? `It cannot read ${JSON.stringify(key)}: the path of a key may hold neither $ nor control characters.`
    : null

/** Copies of certificates in the folder of nginx, by their content. */
export class PairFiles {
  private readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  async keep(files: TlsFiles, { certificate, pem }: Pair): Promise<KeptPair> {
    const digest = createHash('sha256').update(pem.cert).digest('hex').slice(0, 32)
    await mkdir(path.join(this.folder, FOLDER), { recursive: true, mode: 0o700 })
    await replaceDurably(path.join(this.folder, fileOf(digest)), pem.cert)
    return { files, digest, key: await realpath(files.key), names: namesIn(certificate).map(asHost) }
  }

  /** `null` when our copy is gone. */
  async read({ digest }: KeptPair): Promise<Leaf | null> {
    const text = await readFile(path.join(this.folder, fileOf(digest)), 'utf8').catch(() => null)
    return text === null ? null : leafIn(text)
  }

  async forgetExcept(pairs: readonly KeptPair[]): Promise<void> {
    const kept = new Set(pairs.map(({ digest }) => path.basename(fileOf(digest))))
    const all = await readdir(path.join(this.folder, FOLDER)).catch(() => [])
    const old = all.filter((name) => !kept.has(name))
    await Promise.all(old.map((name) => rm(path.join(this.folder, FOLDER, name), { force: true })))
  }
}

/** An address of IPv6 as it stands in the header Host. */
const asHost = (name: string): string => (isIPv6(name) ? new URL(`http://[${name}]`).hostname : name)
