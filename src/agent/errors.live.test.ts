import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { ReleaseErrors } from '../core/shared/error-signature/report.ts'
import { AgentObservation } from '../core/shared/observation.ts'
import { type AgentFixture, createAgentFixture, exitCodeOf, waitFor } from './agent-fixture.ts'

const SECRET = 'correct-horse-battery'
const TEMPLATE = 'Error: order <n> of [redacted] is lost at pay (pay.js)'

describe('the errors that instances write', () => {
  let fixture: AgentFixture
  beforeEach(async () => {
    fixture = await createAgentFixture()
    writeFileSync(join(fixture.folder, 'secrets.env'), `TOKEN=${SECRET}\n`, { mode: 0o600 })
  })
  afterEach(() => fixture.close())

  const errors = async () =>
    z.array(ReleaseErrors).parse((await fixture.call('GET', '/services/shop/errors')).body)
  const countOf = async (release: string) =>
    (await errors())
      .find((one) => one.release === release)
      ?.signatures.find(({ template }) => template === TEMPLATE)?.count ?? 0
  const untilCount = (release: string, count: number) =>
    waitFor(async () => (await countOf(release)) === count)
  const version = async () =>
    AgentObservation.parse((await fixture.call('GET', '/services/shop')).body).errorsVersion
  const readyOf = async (release: string, count: number) =>
    (
      await fixture.until(
        (all) => all.filter((one) => one.release === release && one.state === 'ready').length === count,
      )
    ).filter((one) => one.release === release)

  it('are counted over all instances of a release, whatever the ids in them, and hold no secret', async () => {
    await fixture.launch()
    await fixture.put(fixture.spec('shop@1', { secrets: ['TOKEN'] }), 2, 1)
    await fixture.put(fixture.spec('shop@2'), 1, 2)
    const both = await readyOf('shop@1', 2)
    await readyOf('shop@2', 1)
    await waitFor(async () => (await errors()).length === 2)
    const quiet = await version()
    for (const [index, { port }] of both.entries())
      for (const order of ['4711', 'c0ffee42', '9']) await fixture.ask(port, `/fail/${order}${index}`)
    await untilCount('shop@1', 6)
    expect(await version()).not.toBe(quiet)
    const all = await errors()
    expect(all.find(({ release }) => release === 'shop@1')).toMatchObject({
      signatures: [
        {
          template: TEMPLATE,
          count: 6,
          example: expect.stringMatching(/^Error: order \w+ of \[redacted\] is lost$/),
        },
      ],
      others: 0,
      lostBytes: 0,
    })
    expect(all.find(({ release }) => release === 'shop@2')?.signatures).toEqual([])
    expect(JSON.stringify(all)).not.toContain(SECRET)
    await waitFor(() => existsSync(join(fixture.agentFolder, 'errors.json')))
    expect(readFileSync(join(fixture.agentFolder, 'errors.json'), 'utf8')).not.toContain(SECRET)
  })

  it('are counted on by the next agent, those of the time between included', async () => {
    const first = await fixture.launch()
    await fixture.put(fixture.spec('shop@1', { secrets: ['TOKEN'] }), 1, 1)
    const [one] = await readyOf('shop@1', 1)
    await fixture.ask(one?.port ?? 0, '/fail/1')
    await untilCount('shop@1', 1)
    first.kill('SIGKILL')
    await exitCodeOf(first)
    await fixture.ask(one?.port ?? 0, '/fail/2')
    await fixture.launch()
    await untilCount('shop@1', 2)
    await fixture.ask(one?.port ?? 0, '/fail/3')
    await untilCount('shop@1', 3)
  })

  it('are found before and after the log is full', async () => {
    await fixture.launch()
    await fixture.put(fixture.spec('shop@1', { secrets: ['TOKEN'] }), 1, 1)
    const [one] = await readyOf('shop@1', 1)
    const port = one?.port ?? 0
    await fixture.ask(port, '/fail/1')
    await fixture.ask(port, '/flood')
    await fixture.ask(port, '/fail/2')
    await waitFor(() => existsSync(join(fixture.agentFolder, 'logs', `${one?.id}.log.1`)))
    await fixture.ask(port, '/fail/3')
    await untilCount('shop@1', 3)
  })
})
