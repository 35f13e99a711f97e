import { connect } from 'node:net'
import type { ProbeFailure } from '../../core/shared/instance.ts'
import type { ProbeAnswer } from '../probe.ts'

/** Passes when the address takes a connection in time; nothing is sent. Names are looked up within the same time. */
export function checkTcp(address: { host: string; port: number; timeoutMs: number }): Promise<ProbeAnswer> {
  const { host, port, timeoutMs } = address
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const fail = (kind: ProbeFailure['kind'], what: string): ProbeAnswer => ({
    kind: 'failed',
    failure: { kind, message: `a TCP connection to ${where} ${what}`, at: Date.now() },
  })
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (answer: ProbeAnswer) => {
      clearTimeout(deadline)
      socket.destroy()
      resolve(answer)
    }
    const deadline = setTimeout(
      () => end(fail('slow', `did not come about within ${timeoutMs} ms`)),
      timeoutMs,
    )
    socket.once('connect', () => end({ kind: 'passed' }))
    socket.on('error', (error) => end(fail(...describeError(error))))
  })
}

function describeError(error: Error): [ProbeFailure['kind'], string] {
  const code = 'code' in error ? String(error.code) : error.message
  if (code === 'ECONNREFUSED') return ['refused', 'was refused: nothing listens there']
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return ['dns', `failed: the name was not found (${code})`]
  return ['reset', `failed (${code})`]
}
