import type { LoadReply } from './load-messages.ts'
import { type LoadKind, type LoadProcess, startLoadProcess } from './load-process.ts'

/** Of the load where nothing else is said. */
export const RATE_PER_SECOND = 500

/** What one phase of a run cost its users. */
export type Cost = {
  sent: number
  /** Without what stands in `closed`. */
  lost: number
  /** Turned away because the service was closed by decision. */
  closed: number
  /** Went out a second time, because an idle connection was reset under them. */
  sentAgain: number
  brokenSockets: number
  gracefulCloses: number
  samples: string[]
}

/** Load that runs through all phases, with new WebSockets for each: those of the phase before have ended. */
export type PhasedLoad = {
  phase(act: () => Promise<void>): Promise<Cost>
  end(): Promise<void>
}

export function startPhasedLoad(
  url: string,
  kind: LoadKind = { ratePerSecond: RATE_PER_SECOND },
): PhasedLoad {
  const load: LoadProcess = startLoadProcess(url, kind)
  return {
    phase: async (act) => {
      const before = await load.ask('open-sockets')
      await act()
      const after = await load.ask('close-sockets')
      return costOf(before, after)
    },
    end: () => load.end(),
  }
}

function costOf(before: LoadReply, after: LoadReply): Cost {
  const closed = (after.byKind.closed ?? 0) - (before.byKind.closed ?? 0)
  return {
    sent: after.sent - before.sent,
    lost: after.failed - before.failed - closed,
    closed,
    sentAgain: after.sentAgain - before.sentAgain,
    brokenSockets: after.sockets.broken,
    gracefulCloses: after.sockets.graceful,
    samples: after.samples.slice(before.samples.length),
  }
}
