import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../../src/testkit/free-port.ts'
import { createStack, type Stack } from '../../live/kit/stack.ts'
import type { Line, Version } from './plan.ts'

const SHOP = fileURLToPath(new URL('../../../examples/shop/releases/1.1.0', import.meta.url))
const CHANGE = fileURLToPath(new URL('payment.js', import.meta.url))

/**
 * The preset `standard` without its 5%, for which there are too few customers here. Its steps of 15 and 20 minutes last 10
 * and 20 s, and the watch of an hour 8 s: about 1,200 requests of the candidate in all.
 */
const strategy = {
  canary: {
    steps: [
      { weight: '25%', pause: '10s', criteria: { errorRate: '0.5%', successRate: '99.9%', p99: '400ms' } },
      { weight: '50%', pause: '20s', criteria: { errorRate: '0.1%', successRate: '99.95%', p99: '300ms' } },
      { weight: '100%' },
    ],
    watch: '8s',
    hold: '500ms',
  },
}

/**
 * What a section does not say is the product's default: no `analysis` at all, so that alpha, tolerances, dispersion, limits
 * and warm-up are those of every rollout. Five versions in a row are bad on purpose, so the breaker is off.
 */
const serviceOf = (service: string, port: number) => ({
  run: { artifact: `./releases/${service}/{{version}}`, command: 'node server.js', replicas: 2 },
  listen: `127.0.0.1:${port}`,
  health: { path: '/up', interval: '500ms', timeout: '5s' },
  drain: { requests: '10s', websockets: '1s' },
  strategy,
  rollback: { breaker: 'off' },
})

const OF_ONE_SERVICE = ['service', 'run', 'listen', 'health', 'drain', 'strategy', 'analysis', 'prober']

/** One installation with all services, each with its first version; the addresses of their customers' doors. */
export async function openMarket(
  lines: readonly Line[],
): Promise<{ stack: Stack; urls: Map<string, string> }> {
  const ports = new Map<string, number>()
  for (const { service } of lines) ports.set(service, await freePort())
  const services = [...ports].map(([service, port]) => [service, serviceOf(service, port)])
  const withoutThose = Object.fromEntries(OF_ONE_SERVICE.map((key) => [key, undefined]))
  const stack = await createStack({
    versions: {},
    file: { ...withoutThose, services: Object.fromEntries(services) },
  })
  for (const { service, first, next } of lines)
    for (const version of [first, ...next]) writeRelease(stack, service, version)
  await stack.startController()
  const urls = [...ports].map(([service, port]) => [service, `http://127.0.0.1:${port}`] as const)
  return { stack, urls: new Map(urls) }
}

/** The example shop with another way of payment. */
function writeRelease({ folder }: Stack, service: string, { version, weakness }: Version): void {
  const release = path.join(folder, 'releases', service, version)
  cpSync(SHOP, release, { recursive: true })
  cpSync(CHANGE, path.join(release, 'payment.js'))
  writeFileSync(path.join(release, 'weakness.json'), JSON.stringify(weakness))
  const manifest = path.join(release, 'package.json')
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"1.1.0"', `"${version}"`))
}
