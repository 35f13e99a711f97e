import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { ServiceView } from '../core/rollout/view/view.ts'
import { ask, open, useServer, view } from './server.test.kit.ts'

const fixture = useServer()

describe('events', () => {
  const path = '/api/v1/events?stream=shop.local'
  const publish = (one: ServiceView) => {
    for (const listener of fixture.listeners) listener(one)
  }
  const collect = (answer: IncomingMessage) => {
    const got = { text: '', ended: false }
    answer.setEncoding('utf8')
    answer.on('data', (chunk) => {
      got.text += chunk
    })
    answer.on('close', () => {
      got.ended = true
    })
    answer.on('error', () => {})
    return got
  }

  it('delivers the present view, then each newer one, and heartbeats between', async () => {
    const socketPath = await fixture.startSocket({ limits: { heartbeatMs: 20 } })
    const answer = await open({ socketPath, path })
    expect(answer.headers['content-type']).toContain('text/event-stream')
    const got = collect(answer)
    await expect.poll(() => got.text).toContain('event: service\ndata: {"schemaVersion":1')
    publish(view(7))
    publish(view(6))
    await expect.poll(() => got.text).toContain('id: 7')
    await expect.poll(() => got.text).toContain(': heartbeat\n\n')
    expect(got.text).not.toContain('id: 6')
    answer.destroy()
  })

  it('stops listening when the client leaves, and ends the stream when the server closes', async () => {
    const socketPath = await fixture.startSocket()
    const leaving = await open({ socketPath, path })
    collect(leaving)
    await expect.poll(() => fixture.listeners.size).toBe(1)
    leaving.destroy()
    await expect.poll(() => fixture.listeners.size).toBe(0)
    const staying = collect(await open({ socketPath, path }))
    await fixture.server.close()
    await expect.poll(() => staying.ended).toBe(true)
    expect(fixture.listeners.size).toBe(0)
  })

  it('keeps only the newest view for a client that does not read', async () => {
    const socketPath = await fixture.startSocket()
    const answer = await open({ socketPath, path })
    await expect.poll(() => fixture.listeners.size).toBe(1)
    const large = 'x'.repeat(100_000)
    for (let revision = 2; revision <= 500; revision += 1) {
      publish({ ...view(revision), listen: large })
      await new Promise((resolve) => setImmediate(resolve))
    }
    const got = collect(answer)
    await expect.poll(() => got.text).toContain('id: 500\n')
    expect(got.text.split('id: ').length).toBeLessThan(300)
    answer.destroy()
  })

  it('refuses an unknown service and more clients than it can bear', async () => {
    const socketPath = await fixture.startSocket({ limits: { maxEventClients: 1 } })
    const unknown = await ask({ socketPath, path: '/api/v1/events?stream=nothing.local' })
    expect([unknown.status, unknown.json().code, fixture.listeners.size]).toEqual([
      404,
      'SERVICE_NOT_FOUND',
      0,
    ])
    const first = await open({ socketPath, path })
    collect(first)
    const second = await ask({ socketPath, path })
    expect([second.status, second.json().code]).toEqual([503, 'EVENTS_LIMIT'])
    first.destroy()
  })
})
