import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { call, makeOrigin, type ProxyProcess, routesOf, until } from '../proxy-process.test.kit.ts'

/** Users are answered, routes can be changed, and everybody names the same process: its pid. */
export async function expectOneServes(proxy: ProxyProcess, port: number, sequence: number): Promise<number> {
  await until('one answers its controller', async () => (await proxy.livez()).pid > 0)
  const { pid } = await proxy.livez()
  expect((await call({ port })).status).toBe(200)
  const name = `instance-${sequence}`
  const origin = await makeOrigin((_, res) => res.end(name))
  onTestFinished(() => origin.close())
  expect(await proxy.setRoutes(routesOf([{ release: name, ports: [origin.port] }], sequence))).toBe(port)
  await until('the new routes', async () => (await call({ port })).body === name)
  expect(Number(await readFile(join(proxy.folder, 'proxy.pid'), 'utf8'))).toBe(pid)
  return pid
}
