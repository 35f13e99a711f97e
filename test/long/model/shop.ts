import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import * as z from 'zod'
import { Outcome } from '../../../src/core/rollout/outcome.ts'
import { RouterState } from '../../../src/core/shared/router-state.ts'
import { eventually } from '../../live/kit/settle.ts'
import { createStack, quickAnalysis, type Stack } from '../../live/kit/stack.ts'
import { type Customers, letCustomersIn } from './customers.ts'

const RELEASES = fileURLToPath(new URL('../../../examples/shop/releases', import.meta.url))

/** Releases of the example shop, and two more good ones, so that there is always something newer. */
const VERSIONS = {
  '1.0.0': '1.0.0',
  '1.1.0': '1.1.0',
  '1.2.0': '1.2.0',
  '1.4.0': '1.4.0',
  '1.5.0': '1.1.0',
  '1.6.0': '1.0.0',
} as const
export type Version = keyof typeof VERSIONS
export const FIRST: Version = '1.0.0'
export const GOOD: readonly Version[] = ['1.0.0', '1.1.0', '1.5.0', '1.6.0']
/** None of its payments works: half of its answers are errors. */
export const BAD: Version = '1.2.0'
export const NEVER_READY: Version = '1.4.0'
export const ALL: readonly Version[] = [...GOOD, BAD, NEVER_READY]

export const REPLICAS = 2
export const WATCH_STEP = 'watch'

/** A step that ends by its time, one that only a person ends, and a watch: short, but long enough to do something in them. */
const FILE = {
  run: { artifact: './releases/{{version}}', command: 'node server.js', replicas: REPLICAS },
  health: { path: '/up', interval: '100ms', timeout: '5s', successes: 2, deadline: '10s' },
  strategy: {
    canary: {
      steps: [{ weight: '25%', pause: '1s' }, { weight: '60%', pause: 'manual' }, { weight: '100%' }],
      watch: '4s',
      hold: '2s',
    },
  },
  analysis: { ...quickAnalysis, interval: '200ms' },
}

/** The real thing: a folder with the shop, `sluice up` in it, its first release, and customers. */
export type Shop = {
  stack: Stack
  customers: Customers
  /** When somebody killed an instance, Unix ms: what customers meet then is nobody's fault. */
  kills: number[]
  /** How every rollout that has ended did end. */
  outcomes: Map<string, Outcome>
}

const HISTORY_LIMIT = 500
const History = z.object({
  rollouts: z.array(
    z.object({
      id: z.string(),
      from: z.object({ version: z.string() }).nullable(),
      to: z.object({ version: z.string() }),
      outcome: Outcome.nullable(),
      startedAt: z.number(),
      endedAt: z.number().nullable(),
    }),
  ),
})
export type PastRollout = z.infer<typeof History>['rollouts'][number]

export async function openShop(): Promise<Shop> {
  const stack = await createStack({ versions: {}, file: FILE })
  for (const [version, source] of Object.entries(VERSIONS)) copyRelease(stack, { version, source })
  const up = await stack.cli('up')
  expect(up.code, up.err).toBe(0)
  const first = await stack.cli('deploy', FIRST, '--yes')
  expect(first.code, first.out + first.err).toBe(0)
  const customers = letCustomersIn(stack.url)
  onTestFinished(() => customers.leave())
  return { stack, customers, kills: [], outcomes: new Map() }
}

function copyRelease({ folder }: Stack, { version, source }: { version: string; source: string }): void {
  const release = path.join(folder, 'releases', version)
  cpSync(path.join(RELEASES, source), release, { recursive: true })
  edit(path.join(release, 'package.json'), `"${source}"`, `"${version}"`)
  if (version === BAD) edit(path.join(release, 'provider.js'), 'DROPPED_ONE_IN = 20', 'DROPPED_ONE_IN = 1')
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(file, 'utf8')
  if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`)
  writeFileSync(file, text.replace(from, to))
}

/** All rollouts there were, newest first. */
export const pastRollouts = async ({ stack }: Shop): Promise<PastRollout[]> =>
  (await stack.call('list_rollouts', { limit: HISTORY_LIMIT }, History)).rollouts

/** What the data plane does now; it may just be on its way up. */
export const routesNow = ({ stack }: Shop): Promise<RouterState> =>
  eventually('the data plane', async () => RouterState.parse(await stack.router()))
