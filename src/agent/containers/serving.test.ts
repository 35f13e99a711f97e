import { expect, it } from 'vitest'
import { ok } from '../../core/shared/result.ts'
import type { Engine } from './engine.ts'
import { servingContainer } from './serving.ts'

const seen = (ports: object) => ({
  Id: 'a'.repeat(64),
  Name: '/shop_web_1',
  State: { Running: true, Pid: 4_194_304, StartedAt: 'then', Paused: false, Restarting: false },
  HostConfig: { NetworkMode: 'bridge' },
  NetworkSettings: { Ports: ports, Networks: { bridge: { IPAddress: '172.17.0.2' } } },
})
const engineWith = (ports: object, at: string): Engine => ({
  where: 'here',
  isLocal: at === '127.0.0.1',
  publishesAt: async () => ok(at),
  // biome-ignore lint/suspicious/noExplicitAny: what the engine answers is read where it is asked.
  ask: async () => ok(seen(ports) as any),
})
const placeOf = async (ports: object, at: string): Promise<string> => {
  const found = await servingContainer('shop_web_1', 8080, engineWith(ports, at))
  return found.kind === 'ok' ? `${found.value.host}:${found.value.port}` : found.problem.code
}
const PUBLISHED = { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] }

it('a container to be adopted is reached where its engine publishes, and inside its network on this machine alone', async () => {
  expect(await placeOf(PUBLISHED, '127.0.0.1')).toBe('127.0.0.1:8080')
  expect(await placeOf(PUBLISHED, '10.0.0.2')).toBe('10.0.0.2:8080')
  expect(await placeOf({}, '127.0.0.1')).toBe('172.17.0.2:8080')
  expect(await placeOf({}, '10.0.0.2')).toBe('ADOPT_NOT_PUBLISHED')
})
