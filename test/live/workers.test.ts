import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { eventsOf } from './kit/journal.ts'
import { eventually } from './kit/settle.ts'
import { createStack, type Stack } from './kit/stack.ts'

const JOBS = 300
/** Lasts until the test lets it end: longer than the rollout, however slow the machine is. */
const HELD = 'held'

/**
 * Takes jobs from a folder, one at a time, by moving the file. Told by SIGUSR1 it takes no new one and ends when it has finished;
 * SIGTERM ends it on the spot, and its job with it.
 */
const WORKER = `
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
const [jobs, taken, done] = ['JOBS', 'TAKEN', 'DONE'].map((name) => process.env[name])
let isQuiet = false
process.on('SIGUSR1', () => { isQuiet = true; console.log('quiet') })
process.on('SIGTERM', () => { console.log('cut off'); process.exit(1) })
function take() {
  for (const name of readdirSync(jobs)) {
    try { renameSync(jobs + '/' + name, taken + '/' + name); return name } catch {}
  }
  return null
}
while (!isQuiet) {
  const name = take()
  if (name === null) { await new Promise((next) => setTimeout(next, 50)); continue }
  const lasts = readFileSync(taken + '/' + name, 'utf8')
  do { await new Promise((next) => setTimeout(next, lasts === '${HELD}' ? 50 : Number(lasts))) }
  while (lasts === '${HELD}' && !existsSync(process.env.RELEASED))
  writeFileSync(done + '/' + name, process.env.SLUICE_VERSION)
}
`
const workerFile = (folder: string, change: object = {}) => ({
  run: {
    artifact: './releases/{{version}}',
    command: 'node worker.mjs',
    replicas: 3,
    env: Object.fromEntries(
      ['jobs', 'taken', 'done', 'released'].map((name) => [name.toUpperCase(), path.join(folder, name)]),
    ),
    quiesce: 'SIGUSR1',
    grace: '60s',
    stopGrace: '2s',
  },
  listen: 'none',
  health: { command: 'true', interval: '100ms', successes: 2, deadline: '40s' },
  strategy: {
    canary: {
      steps: [
        { weight: '33%', pause: '500ms' },
        { weight: '66%', pause: '500ms' },
      ],
      watch: '500ms',
    },
  },
  ...change,
})

async function startWorkers(change: (folder: string) => object = () => ({})): Promise<Stack> {
  const stack = await createStack({ versions: {} })
  for (const name of ['jobs', 'taken', 'done']) mkdirSync(path.join(stack.folder, name))
  stack.writeFile(workerFile(stack.folder, change(stack.folder)))
  for (const version of ['1.0.0', '1.1.0']) {
    stack.writeVersion(version, {})
    writeFileSync(path.join(stack.folder, 'releases', version, 'worker.mjs'), WORKER)
  }
  await stack.startController()
  const first = await stack.deploy('1.0.0')
  if (first.outcome !== 'promoted') throw new Error(`the first release: ${first.reason.message}`)
  return stack
}

const files = (stack: Stack, name: string): string[] => readdirSync(path.join(stack.folder, name))
const giveJob = (stack: Stack, name: string, lastsMs: number | typeof HELD): void =>
  writeFileSync(path.join(stack.folder, 'jobs', name), String(lastsMs))
const letEnd = (stack: Stack): void => writeFileSync(path.join(stack.folder, 'released'), '')
const states = async (stack: Stack, version: string): Promise<string[]> =>
  (await stack.view()).sets
    .filter((set) => set.version === version)
    .flatMap(({ instances }) => instances.map(({ state }) => state))
    .filter((state) => state !== 'gone')

describe('workers without HTTP', () => {
  it('a canary by share of instances loses no job, and old workers finish theirs after the rollout', async () => {
    const stack = await startWorkers()
    for (const number of [1, 2, 3]) giveJob(stack, `0-long-${number}`, HELD)
    await eventually('all old workers have a long job', () => files(stack, 'taken').length === 3)
    for (let number = 0; number < JOBS; number += 1) giveJob(stack, `job-${number}`, 30)

    const deployed = await stack.deploy('1.1.0')
    expect(deployed.outcome).toBe('promoted')
    // None of them was cut off for the rollout, and none of them holds it up.
    expect(await states(stack, '1.0.0')).toEqual(['stopping', 'stopping', 'stopping'])
    expect(files(stack, 'done').filter((name) => name.startsWith('0-long'))).toEqual([])

    letEnd(stack)
    await eventually('every job is done', () => files(stack, 'done').length === JOBS + 3)
    expect(files(stack, 'jobs')).toEqual([])
    await eventually(
      'the old workers ended by themselves',
      async () => (await states(stack, '1.0.0')).length === 0,
    )
    expect(await states(stack, '1.1.0')).toEqual(['ready', 'ready', 'ready'])
    const shares = eventsOf(stack.journal(), 'weights-decided').map(({ weights }) =>
      Object.values(weights).at(-1),
    )
    expect(shares).toEqual([1000, 333, 666, 1000])
    expect(eventsOf(stack.journal(), 'routes-decided')).toEqual([])
  })

  it('rolls in batches, goes on after a killed controller, and goes back while old workers still finish', async () => {
    const stack = await startWorkers(() => ({ strategy: { rolling: { pause: 'manual', watch: '500ms' } } }))
    for (const number of [1, 2, 3]) giveJob(stack, `0-long-${number}`, HELD)
    await eventually('all old workers have a long job', () => files(stack, 'taken').length === 3)
    const deployed = await stack.begin('1.1.0')
    const isAt = (batch: number) => async () => {
      const { rollout } = await stack.rollout(deployed)
      const active = rollout.steps.find(({ state }) => state === 'active')
      return active?.kind === 'observe' && (await states(stack, '1.1.0')).length === batch
    }
    await eventually('the first batch', isAt(1))
    await stack.kill('controller')
    await stack.startController()
    await stack.call('promote', {}, z.unknown())
    await eventually('the second batch', isAt(2))
    await stack.call('abort', {}, z.unknown())
    expect(await stack.outcome(deployed)).toBe('aborted')
    const fresh = async () => (await states(stack, '1.0.0')).filter((state) => state === 'ready').length
    await eventually('three of the old version work again', async () => (await fresh()) === 3)
    letEnd(stack)
    await eventually('every job is done', () => files(stack, 'done').length === 3)
    await eventually('nothing is left of 1.1.0', async () => (await states(stack, '1.1.0')).length === 0)
  })
})
