import { request } from 'node:http'
import { withSocketPath } from '../../tools/socket-path.ts'

/** Answered from memory by a worker that has nothing else to wait for. */
const CALL_TIMEOUT_MS = 1_000

/**
 * What nginx says of all requests since its master began. `busy` counts those that have no answer yet, this question among
 * them, and `connections` are all that are open, also without a request. `atS` is the time of the worker that answers, as it stands in the lines of the log.
 */
export type Totals = { requests: number; connections: number; busy: number; atS: number }

/** Asks the running program on its private socket, each time on a connection of its own: an old one leads to an old worker. */
export class Control {
  private readonly socket: string

  constructor(socket: string) {
    this.socket = socket
  }

  /** The digest of the configuration that whoever answers follows; `null` when nobody does. */
  async marker(): Promise<string | null> {
    const answer = await this.ask('/marker')
    return /^([0-9a-f]{16}) \d+$/.exec(answer?.body ?? '')?.[1] ?? null
  }

  async totals(): Promise<Totals | null> {
    const { body, now } = (await this.ask('/status')) ?? { body: '', now: '' }
    const requests = /^ *\d+ \d+ (\d+) *$/m.exec(body)?.[1]
    const busy = /Reading: (\d+) Writing: (\d+)/.exec(body)
    const connections = /^Active connections: (\d+) *$/m.exec(body)?.[1]
    if (requests === undefined || connections === undefined || busy === null) return null
    return {
      requests: Number(requests),
      connections: Number(connections),
      busy: Number(busy[1]) + Number(busy[2]),
      atS: Number(now),
    }
  }

  private async ask(path: string): Promise<Answer | null> {
    return await withSocketPath(this.socket, (short) => talk(short, path)).catch(() => null)
  }
}

type Answer = { body: string; now: string }

function talk(socketPath: string, path: string): Promise<Answer | null> {
  return new Promise((resolve) => {
    const call = request(
      { socketPath, path, agent: false, timeout: CALL_TIMEOUT_MS, headers: { host: 'sluice' } },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', () => resolve(null))
        answer.on('end', () => {
          const { statusCode, headers } = answer
          const body = Buffer.concat(chunks).toString()
          resolve(statusCode === 200 ? { body, now: `${headers['sluice-now'] ?? ''}` } : null)
        })
      },
    )
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(null))
    call.on('close', () => resolve(null))
    call.end()
  })
}
