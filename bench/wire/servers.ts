import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanupOf } from '../kit/cleanup.ts'
import { freePort } from '../kit/processes.ts'
import type { Rank } from './place.ts'
import { type Running, startHaproxy, startHttpxy, startOrigin, startSluice } from './proxy-under-test.ts'

/** The origin and the proxies in front of it. */
export type Servers = Record<'origin' | 'sluice' | 'haproxy' | 'httpxy', Running>

/** Starts them all, lets `use` work with them, and stops them, also after a failure or an interrupt. */
export async function withServers<T>(rank: Rank, use: (servers: Servers) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-wire-'))
  const running: Running[] = []
  const stop = cleanupOf(async () => {
    for (const server of running.reverse()) await server.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const kept = async (starting: Promise<Running>): Promise<Running> => {
    const server = await starting
    running.push(server)
    return server
  }
  try {
    const origin = await kept(startOrigin({ folder, port: await freePort(), rank }))
    const input = async () => ({ folder, originPort: origin.port, port: await freePort(), rank })
    return await use({
      origin,
      sluice: await kept(startSluice(await input())),
      haproxy: await kept(startHaproxy(await input())),
      httpxy: await kept(startHttpxy(await input())),
    })
  } finally {
    await stop()
  }
}

/** Sluice on both cores at the same origin: as one process, and as two. */
export type OnBothCores = Record<'one' | 'two', Running>

export async function withBothCores<T>(
  { origin, rank }: { origin: Running; rank: Rank },
  use: (servers: OnBothCores) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-wire-'))
  const running: Running[] = []
  const stop = cleanupOf(async () => {
    for (const server of running) await server.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const start = async (name: string, processes: number): Promise<Running> => {
    const place = { folder: join(folder, name), originPort: origin.port, port: await freePort(), rank }
    await mkdir(place.folder)
    const server = await startSluice({ ...place, core: '0,1', processes })
    running.push(server)
    return server
  }
  try {
    return await use({ one: await start('one', 1), two: await start('two', 2) })
  } finally {
    await stop()
  }
}
