import { connect } from 'node:net'
import type { ProbeFailure } from '../../core/shared/instance.ts'
import type { ProbeAnswer } from '../probe.ts'

/**
 * Who passes connections on (docker-proxy) takes every one, and ends it at once when nobody takes it behind: that is a
 * connection to a port of the same machine, so a multiple of what it needs.
 */
const PASSED_ON_MS = 250

export type TcpAddress = {
  host: string
  port: number
  timeoutMs: number
  /** Somebody stands between who takes connections for others. */
  isPassedOn?: boolean
}

/**
 * Passes when the address takes a connection in time; nothing is sent. Names are looked up within the same time. One that is
 * passed on also has to stay for a moment, or to say something.
 */
export function checkTcp({ host, port, timeoutMs, isPassedOn = false }: TcpAddress): Promise<ProbeAnswer> {
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const fail = (kind: ProbeFailure['kind'], what: string): ProbeAnswer => ({
    kind: 'failed',
    failure: { kind, message: `a TCP connection to ${where} ${what}`, at: Date.now() },
  })
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    let moment: NodeJS.Timeout | undefined
    const end = (answer: ProbeAnswer) => {
      clearTimeout(moment)
      clearTimeout(deadline)
      socket.destroy()
      resolve(answer)
    }
    const deadline = setTimeout(
      () => end(fail('slow', `did not come about within ${timeoutMs} ms`)),
      timeoutMs,
    )
    const pass = () => end({ kind: 'passed' })
    const endedAtOnce = () => end(fail('refused', NOBODY_BEHIND))
    let isConnected = false
    socket.once('connect', () => {
      if (!isPassedOn) return pass()
      isConnected = true
      // Time that is up now is not held against it: it has taken the connection.
      clearTimeout(deadline)
      moment = setTimeout(pass, PASSED_ON_MS)
      socket.once('data', pass).once('end', endedAtOnce)
    })
    socket.on('error', (error) => {
      // It may be cut so soon that nobody learns that it came about.
      const isCut = isConnected || (isPassedOn && 'code' in error && error.code === 'ECONNRESET')
      if (isCut) endedAtOnce()
      else end(fail(...describeError(error)))
    })
  })
}

const NOBODY_BEHIND = 'was taken at the published port and ended at once: nothing listens in the container'

function describeError(error: Error): [ProbeFailure['kind'], string] {
  const code = 'code' in error ? String(error.code) : error.message
  if (code === 'ECONNREFUSED') return ['refused', 'was refused: nothing listens there']
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return ['dns', `failed: the name was not found (${code})`]
  return ['reset', `failed (${code})`]
}
