import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cleanupOf } from '../kit/cleanup.ts'
import { type Core, commandAt } from './place.ts'

const WITNESS = fileURLToPath(new URL('stall-witness.ts', import.meta.url))

/** A time in which the machine let nobody run on a core, in milliseconds of `process.hrtime`. */
export type Stall = { fromMs: number; toMs: number }

export type StallWatch = { stalls: readonly Stall[]; end(): Promise<void> }

/** Watches both cores. Needs real-time priority: without it, a witness would only see that it has neighbours. */
export function watchStalls(): StallWatch {
  const stalls: Stall[] = []
  const ends = (['0', '1'] as const).map((core) => witnessOn(core, (stall) => stalls.push(stall)))
  return {
    stalls,
    end: async () => {
      for (const end of ends) await end()
    },
  }
}

function witnessOn(core: Core, note: (stall: Stall) => void): () => Promise<void> {
  const [command, args] = commandAt({ core, rank: 'witness' }, process.execPath, [WITNESS])
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [fromMs = 0, toMs = 0] = line.split(' ').map(Number)
    note({ fromMs, toMs })
  })
  return cleanupOf(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await exited
  })
}

/** A request that was due at `atMs` and took `tookMs`. */
export type Timed = { atMs: number; tookMs: number }

/**
 * The latencies of the requests that met no stall. What queued up in a stall needs time to be served, so its shadow is
 * as long as the stall itself; a proxy that needs longer has its own tail to show.
 */
export function undisturbed(requests: readonly Timed[], stalls: readonly Stall[]): number[] {
  const shadows = stalls.map(({ fromMs, toMs }) => ({ fromMs, toMs: toMs + (toMs - fromMs) }))
  const isClear = ({ atMs, tookMs }: Timed): boolean =>
    shadows.every(({ fromMs, toMs }) => atMs > toMs || atMs + tookMs < fromMs)
  return requests.filter(isClear).map(({ tookMs }) => tookMs)
}
