import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  dies,
  makeProxy,
  PROXY_PROGRAM,
  type ProxyProcess,
  routesOf,
  until,
  useOrigins,
} from '../proxy-process.test.kit.ts'
import { expectOneServes } from './one-serves.test.kit.ts'

// What dies at which moment is tried in full in test/long/proxy-upgrade.test.ts.

const origin = useOrigins()
let proxy: ProxyProcess
let port: number
let oldPid: number
const begin = async (limits: Record<string, number>) => {
  proxy = await makeProxy(limits)
  port = await proxy.setRoutes(routesOf([{ ports: [(await origin('one')).port] }], 1))
  oldPid = proxy.pid
}
beforeEach(() => begin({ keepAliveMs: 500 }))
afterEach(() => proxy.remove())

const nobodyAnswers = () =>
  until('nobody answers', async () => (await proxy.livez().catch(() => null)) === null)

/** Words that follow are no options of Node. */
const script = (code: string) => [process.execPath, '-e', code, 'words']

describe('an upgrade that does not work', () => {
  it('leaves the old one in charge when the new one dies in the last moment, and another one can be begun', async () => {
    const answer = await proxy.upgrade(dies('says serving', 'heir'))
    expect(answer).toMatchObject({ status: 409, body: { code: 'PROXY_UPGRADE_FAILED' } })
    expect(await expectOneServes(proxy, port, 2)).toBe(oldPid)
    expect((await proxy.upgrade()).status).toBe(200)
    expect(await expectOneServes(proxy, port, 3)).not.toBe(oldPid)
  })

  it('ends with the new one in charge when the old one dies in the middle', async () => {
    await proxy.upgrade(dies('hears take', 'elder')).catch(() => undefined)
    await proxy.exit
    expect(await expectOneServes(proxy, port, 2)).not.toBe(oldPid)
  })

  it('says why when the program cannot take over', async () => {
    const why = async (program: readonly string[]) => {
      const answer = await proxy.upgrade(program)
      expect(answer).toMatchObject({ status: 409, body: { code: 'PROXY_UPGRADE_FAILED' } })
      return JSON.stringify(answer.body)
    }
    expect(await why(['/nowhere/node'])).toContain('ENOENT')
    expect(await why(script('process.exit(3)'))).toContain('code 3')
    const other = `process.send({ kind: 'here', protocol: 99, version: '9' }); setInterval(() => {}, 1000)`
    expect(await why(script(other))).toContain('another way')
    expect(await why([...PROXY_PROGRAM, '--no-such-option'])).toContain('ended')
    expect(await expectOneServes(proxy, port, 2)).toBe(oldPid)
  })

  it('says so when the program says nothing', async () => {
    await proxy.remove()
    await begin({ heirStartMs: 300 })
    const answer = await proxy.upgrade(script('setInterval(() => {}, 1000)'))
    expect(answer).toMatchObject({ status: 409, body: { code: 'PROXY_UPGRADE_FAILED' } })
    expect(await expectOneServes(proxy, port, 2)).toBe(oldPid)
  })

  it('leaves routes as they are that the new one cannot read', async () => {
    const file = join(proxy.folder, 'routes.json')
    await writeFile(file, '{"schema": 2}')
    const answer = await proxy.upgrade()
    expect(answer).toMatchObject({ status: 409, body: { code: 'PROXY_UPGRADE_FAILED' } })
    expect(JSON.stringify(answer.body)).toContain('does not understand the routes')
    expect(await readFile(file, 'utf8')).toBe('{"schema": 2}')
    expect(await expectOneServes(proxy, port, 2)).toBe(oldPid)
  })

  it('is one of two at once: the other is done', async () => {
    const answers = await Promise.all([proxy.upgrade(), proxy.upgrade()])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'PROXY_UPGRADE_RUNS' })
    expect(await expectOneServes(proxy, port, 2)).not.toBe(oldPid)
  })

  it('is one that names no program', async () => {
    for (const body of [{ program: [] }, { program: 'node' }, { program: [7] }, {}, null])
      expect(await proxy.control('POST', '/upgrade', body)).toMatchObject({
        status: 400,
        body: { code: 'PROXY_ARGUMENTS' },
      })
  })
})

describe('a signal', () => {
  it('ends old and new in the middle of an upgrade', async () => {
    const asked = proxy.upgrade().catch(() => undefined)
    await until('the new one has begun', () => proxy.stderr.includes('proxy hands over'))
    proxy.kill('SIGTERM')
    await asked
    expect(await proxy.exit).toBe(0)
    await nobodyAnswers()
    await proxy.start()
    await expectOneServes(proxy, port, 2)
  })

  it('that was meant for the one that serves reaches it', async () => {
    await proxy.upgrade()
    proxy.kill('SIGTERM')
    expect(await proxy.exit).toBe(0)
    await nobodyAnswers()
  })
})
