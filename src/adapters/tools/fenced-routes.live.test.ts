import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import * as z from 'zod'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { routesOf } from '../../proxy/proxy-process.test.kit.ts'
import { entryOf, FencedRoutes, type Hands } from './fenced-routes.ts'

const ignore = () => undefined
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }
const Own = z.strictObject({ port: z.int() })
type Own = z.infer<typeof Own>

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-fenced-'))
})
afterEach(() => rm(folder, { recursive: true }))

const open = () => new FencedRoutes({ folder, own: { schema: Own, empty: { port: 0 } }, log, now: () => 7 })
const routes = (sequence: number, port = 1) => routesOf([{ ports: [port] }], sequence)
const hands = (more: Partial<Hands<Own>> = {}): Hands<Own> => ({
  prepare: async (next) => ok(next),
  apply: async () => ok(undefined),
  ...more,
})
const codeOf = (result: Result<unknown>) => (result.kind === 'failed' ? result.problem.code : 'ok')
const kept = async () => {
  const read = await open().read()
  return read.kind === 'ok' ? read.value : null
}

it('refuses what is older, and the same token for something else, also for another controller', async () => {
  expect(codeOf(await open().setRoutes(routes(5), hands()))).toBe('ok')
  expect(codeOf(await open().setRoutes(routes(4), hands()))).toBe('STALE_TOKEN')
  expect(codeOf(await open().setRoutes(routes(5, 2), hands()))).toBe('TOKEN_REUSED')
  const token = { epoch: 1, sequence: 9, rollout: null }
  expect(codeOf(await open().finalize({ service: 'shop', token }, hands()))).toBe('ok')
  expect(codeOf(await open().finalize({ service: 'shop', token }, hands()))).toBe('ok')
  expect(codeOf(await open().setRoutes(routes(8), hands()))).toBe('STALE_TOKEN')
})

it('acts only once the routes are on disk, and again for a repeat, which may have been killed in the middle', async () => {
  let acted = 0
  const apply = async () => {
    acted += 1
    expect(await readFile(join(folder, 'routes.json'), 'utf8')).toContain('"sequence":1')
    return ok(undefined)
  }
  await open().setRoutes(routes(1), hands({ apply }))
  await open().setRoutes(routes(1), hands({ apply }))
  expect(acted).toBe(2)
})

it('writes nothing when the adapter refuses first, and keeps what the adapter adds', async () => {
  const no = failed(problem('ROUTER_CANNOT', { message: '', remedy: '' }))
  await open().setRoutes(routes(1), hands({ prepare: async () => no }))
  expect(await readdir(folder)).not.toContain('routes.json')
  await open().setRoutes(routes(1), hands({ prepare: async (next) => ok({ ...next, own: { port: 80 } }) }))
  expect((await kept())?.own).toEqual({ port: 80 })
})

it('goes back to what was kept before when the program refused, but not when nobody knows how it ended', async () => {
  await open().setRoutes(routes(1), hands())
  const fails = (code: string) =>
    hands({ apply: async () => failed(problem(code, { message: '', remedy: '' })) })
  await open().setRoutes(routes(2), fails('ROUTER_REFUSED'))
  expect((await kept())?.services.shop?.token.sequence).toBe(1)
  await open().setRoutes(routes(3), fails('ROUTER_UNREACHABLE'))
  expect((await kept())?.services.shop?.token.sequence).toBe(3)
})

it('lets one change act at a time, over all who share the folder', async () => {
  let inside = 0
  let most = 0
  const apply = async () => {
    inside += 1
    most = Math.max(most, inside)
    await new Promise((resolve) => setTimeout(resolve, 5))
    inside -= 1
    return ok(undefined)
  }
  const controllers = [open(), open()]
  await Promise.all(
    [1, 2, 3, 4, 5, 6].map((sequence) =>
      controllers[sequence % 2]?.setRoutes(routes(sequence), hands({ apply })),
    ),
  )
  expect(most).toBe(1)
  expect((await kept())?.services.shop?.token.sequence).toBe(6)
})

it('sets a file aside that it cannot read, and keeps it as evidence', async () => {
  await writeFile(join(folder, 'routes.json'), '{"schema":1,"services":{"shop"')
  expect(await kept()).toEqual({ services: {}, highestTokens: {}, drains: {}, own: { port: 0 } })
  expect((await readdir(folder)).filter((name) => name.includes('damaged'))).toHaveLength(1)
})

it('refuses routes that break their own rules', async () => {
  const half = routesOf([{ weight: 500, ports: [1] }], 1)
  expect(codeOf(await open().setRoutes(half, hands()))).toBe('ROUTES_INVALID')
})

it('is not deceived by a service with the name of something that every object has', async () => {
  expect(entryOf({}, 'constructor')).toBeNull()
  const odd = { ...routes(1), service: 'constructor' }
  expect(codeOf(await open().setRoutes(odd, hands()))).toBe('ok')
  expect((await kept())?.services.constructor).toEqual(odd)
})
