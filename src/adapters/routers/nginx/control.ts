import { open } from 'node:fs/promises'
import { request } from 'node:http'
import { basename, dirname } from 'node:path'

/** Answered from memory by a worker that has nothing else to wait for. */
const CALL_TIMEOUT_MS = 1_000
/** The kernel cuts unix socket paths at 108 bytes, the closing zero included; a longer one is reached from its folder. */
const SOCKET_PATH_LIMIT = 107

/** What nginx says of all requests since its master began. `busy` counts those that have no answer yet. */
export type Totals = { requests: number; busy: number }

/** Asks the running program on its private socket, each time on a connection of its own: an old one leads to an old worker. */
export class Control {
  private readonly socket: string

  constructor(socket: string) {
    this.socket = socket
  }

  /** The digest of the configuration that whoever answers follows; `null` when nobody does. */
  async marker(): Promise<string | null> {
    const answer = await this.ask('/marker')
    return /^([0-9a-f]{16}) \d+$/.exec(answer ?? '')?.[1] ?? null
  }

  /** `id` stands in the line that the log has of this very question. */
  async totals(id: string): Promise<Totals | null> {
    const answer = (await this.ask(`/status?id=${id}`)) ?? ''
    const requests = /^ *\d+ \d+ (\d+) *$/m.exec(answer)?.[1]
    const busy = /Reading: (\d+) Writing: (\d+)/.exec(answer)
    return requests === undefined || busy === null
      ? null
      : { requests: Number(requests), busy: Number(busy[1]) + Number(busy[2]) }
  }

  private async ask(path: string): Promise<string | null> {
    if (Buffer.byteLength(this.socket) <= SOCKET_PATH_LIMIT) return await talk(this.socket, path)
    const folder = await open(dirname(this.socket), 'r').catch(() => null)
    if (folder === null) return null
    try {
      return await talk(`/proc/self/fd/${folder.fd}/${basename(this.socket)}`, path)
    } finally {
      await folder.close()
    }
  }
}

function talk(socketPath: string, path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const call = request(
      { socketPath, path, agent: false, timeout: CALL_TIMEOUT_MS, headers: { host: 'sluice' } },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', () => resolve(null))
        answer.on('end', () => resolve(answer.statusCode === 200 ? Buffer.concat(chunks).toString() : null))
      },
    )
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(null))
    call.on('close', () => resolve(null))
    call.end()
  })
}
