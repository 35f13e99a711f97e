import { readdir, readFile, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import * as z from 'zod'
import { ListenAddress } from '../../../core/shared/listen-address.ts'
import { Problem } from '../../../core/shared/problem.ts'
import { ServiceRoutes } from '../../../core/shared/routes.ts'
import { replaceDurably } from '../../tools/durable-file.ts'
import { entryOf, type Kept } from '../../tools/fenced-routes.ts'
import { KeptPair, ShownPair, shownPair } from './kept-pair.ts'
import type { Served } from './service.ts'

/** What this adapter keeps beside the routes. */
export const Own = z.object({
  /** Ports that we chose where the choice was ours, by service. */
  ports: z.record(z.string(), z.int()),
  /** Preview addresses that could not be opened, by service. */
  shut: z.record(z.string(), Problem),
  /** What was proved last: the marker, and who served it. */
  proved: z.object({ digest: z.string(), workers: z.array(z.string()) }).nullable(),
  /** Since when old workers are on their way out, in milliseconds since 1970. */
  leaving: z.record(z.string(), z.number()),
  /** What clients of services with TLS are shown, by service. */
  pairs: z.record(z.string(), KeptPair).default({}),
  /** Services that were not served when their key did not fit: the others are, and these once it fits. */
  leftOut: z.array(z.string()).default([]),
  /** How often places inside of a limit were lost with a worker. */
  round: z.int().default(0),
})
export type Own = z.infer<typeof Own>
export type NginxKept = Kept<Own>

export const NOTHING_KEPT: Own = {
  ports: {},
  shut: {},
  proved: null,
  leaving: {},
  pairs: {},
  leftOut: [],
  round: 0,
}

/** The services as they are to be served. A preview whose port is taken is left out, as is a service without its key, and nothing waits for them. */
export function servedOf({ services, own }: NginxKept): Served[] {
  const all = Object.values(services).filter(({ service }) => !own.leftOut.includes(service))
  return all.map((routes) => {
    const { service, listen, preview } = routes
    const shut = entryOf(own.shut, service)
    const pair = routes.tls === undefined ? null : entryOf(own.pairs, service)
    return {
      routes,
      listening: { ...listen, port: listen.port === 0 ? (entryOf(own.ports, service) ?? 0) : listen.port },
      preview: preview === null || shut !== null ? null : preview.listen,
      pair: pair === null ? null : shownPair(pair),
      round: own.round,
    }
  })
}

const Generation = z.array(
  z.object({
    routes: ServiceRoutes,
    listening: ListenAddress,
    preview: ListenAddress.nullable(),
    pair: ShownPair.nullable().default(null),
    round: z.int().default(0),
  }),
)

/**
 * What each configuration says, by its marker: the running program tells the marker, and so what it really does, also when
 * a change was cut off between our files and it.
 */
export class Generations {
  private readonly folder: string
  /** As read from a file that has not been replaced since, by whichever controller. */
  private readonly known = new Map<string, { stamp: string; served: Served[] }>()

  constructor(folder: string) {
    this.folder = folder
  }

  async keep(digest: string, served: Served[]): Promise<void> {
    await replaceDurably(this.file(digest), JSON.stringify(served))
  }

  /** `null`: none of ours, or its file is gone. */
  async find(digest: string): Promise<Served[] | null> {
    const found = await stat(this.file(digest)).catch(() => null)
    if (found === null) return null
    const stamp = `${found.ino}:${found.mtimeMs}`
    const known = this.known.get(digest)
    if (known?.stamp === stamp) return known.served
    const text = await readFile(this.file(digest), 'utf8').catch(() => null)
    const read = text === null ? null : Generation.safeParse(JSON.parse(text))
    if (read?.success !== true) return null
    this.known.set(digest, { stamp, served: read.data })
    return read.data
  }

  async forgetExcept(digests: readonly string[]): Promise<void> {
    for (const digest of this.known.keys()) if (!digests.includes(digest)) this.known.delete(digest)
    const kept = new Set(digests.map((digest) => path.basename(this.file(digest))))
    const all = await readdir(this.folder)
    const old = all.filter((name) => name.startsWith('generation-') && !kept.has(name))
    await Promise.all(old.map((name) => rm(path.join(this.folder, name), { force: true })))
  }

  private file(digest: string): string {
    return path.join(this.folder, `generation-${digest}.json`)
  }
}
