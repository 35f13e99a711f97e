import { Agent, request } from 'undici'
import type { ProbeRequest, ProbeRun, Prober } from '../../../ports/prober.ts'
import { localConnector } from '../../tools/local-connector.ts'

/** An answer later than this is as good as none. */
const TIMEOUT_MS = 5000
/** A data plane that does not answer must not make the controller hoard sockets. */
const MAX_UNDER_WAY = 50

/** Probes over HTTP with keep-alive, as most users come. */
export function createHttpProber(): Prober {
  return { kind: 'http', start: startProbing }
}

function startProbing({ url, way, paths, intervalMs, probeKey }: ProbeRequest): ProbeRun {
  const connect = way === undefined ? {} : { connect: localConnector(way) }
  const agent = new Agent({ connections: MAX_UNDER_WAY, pipelining: 1, ...connect })
  const ended = new AbortController()
  let sent = 0
  let lost = 0
  let turn = 0
  let underWay = 0

  async function probe(path: string): Promise<void> {
    underWay += 1
    const good = await answersWell(new URL(path, url), { agent, probeKey, ended: ended.signal })
    underWay -= 1
    if (ended.signal.aborted) return
    sent += 1
    if (!good) lost += 1
  }

  const timer = setInterval(() => {
    const path = paths[turn % paths.length] ?? '/'
    turn += 1
    if (underWay < MAX_UNDER_WAY) {
      void probe(path)
      return
    }
    sent += 1
    lost += 1
  }, intervalMs)

  return {
    totals: () => ({ sent, lost }),
    stop: () => {
      clearInterval(timer)
      ended.abort()
      void agent.destroy().catch(() => undefined)
    },
  }
}

type Asking = { agent: Agent; probeKey: string; ended: AbortSignal }

async function answersWell(url: URL, { agent, probeKey, ended }: Asking): Promise<boolean> {
  try {
    const signal = AbortSignal.any([ended, AbortSignal.timeout(TIMEOUT_MS)])
    const answer = await request(url, {
      dispatcher: agent,
      signal,
      headers: { 'sluice-probe': probeKey, 'user-agent': 'sluice-probe' },
    })
    // `dump` would hide a body that ends early.
    for await (const _chunk of answer.body);
    return answer.headers['sluice-error'] === undefined
  } catch {
    return false
  }
}
