import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { findFreePort } from './ports.ts'

const RANGE = '/proc/sys/net/ipv4/ip_local_port_range'

describe('the port of an instance', () => {
  it('is the one that it had before, as long as nobody else has it', async () => {
    const port = await findFreePort(0, new Set())
    expect(await findFreePort(port, new Set())).toBe(port)
    expect(await findFreePort(port, new Set([port]))).not.toBe(port)
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    expect(await findFreePort(port, new Set())).not.toBe(port)
    server.close()
  })

  it('is never one that the system gives to a client meanwhile', async ({ skip }) => {
    const lowest = lowestOfClients()
    skip(
      lowest === null || lowest < 24_000,
      'this system gives clients other ports than Linux does by itself',
    )
    for (let turn = 0; turn < 50; turn += 1)
      expect(await findFreePort(0, new Set())).toBeLessThan(lowest ?? 0)
  })
})

function lowestOfClients(): number | null {
  try {
    return Number(readFileSync(RANGE, 'utf8').split(/\s/)[0])
  } catch {
    return null
  }
}
