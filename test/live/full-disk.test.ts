import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { promoteTo } from './kit/group.ts'
import { scrape } from './kit/scrape.ts'
import { eventually } from './kit/settle.ts'
import { createStack, endAll, type Stack } from './kit/stack.ts'
import { expectNothingLost, startTraffic } from './kit/traffic.ts'

const BLOCK = Buffer.alloc(4096, 'x')

it('on a full disk the rollout holds and traffic flows, and work goes on when there is space again', async ({
  skip,
}) => {
  const stack = await createStack({
    versions: { '1.0.0': {}, '1.1.0': {} },
    file: {
      strategy: {
        canary: {
          steps: [{ weight: '25%', pause: 'manual' }, { weight: '100%' }],
          watch: '300ms',
          hold: '200ms',
        },
      },
    },
  })
  mkdirSync(stack.state, { mode: 0o700 })
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32m,mode=0700', 'sluice-test', stack.state])
  if (mount.status !== 0)
    skip(`a small tmpfs cannot be mounted: ${mount.error?.message ?? mount.stderr.toString().trim()}`)
  try {
    await holdAndGoOn(stack)
  } finally {
    // Once it is detached nobody finds them by their folder; and whoever was killed just now may hold it for a moment.
    await endAll(path.dirname(stack.state))
    spawnSync('umount', ['--lazy', stack.state])
  }
})

async function holdAndGoOn(stack: Stack): Promise<void> {
  await stack.startController()
  await stack.deploy('1.0.0')
  const traffic = await startTraffic(stack)
  const rollout = await stack.begin('1.1.0')
  await stack.stage(rollout, 250)

  const ballast = path.join(stack.state, 'ballast')
  fillDisk(ballast)
  // What the log of the store has reserved is used up first.
  await eventually('a write that the store refuses', async () => (await refusedWrites(stack)) > 0)
  const before = await refusedWrites(stack)
  await eventually('further tries', async () => (await refusedWrites(stack)) > before + 2)
  expect(await stack.refusal('promote', {})).toBe('STORE_FULL')
  expect(weightsOf(await stack.router())).toEqual([250, 750])
  expect((await stack.cli('status')).out).toContain('1.1.0')

  rmSync(ballast)
  await promoteTo(stack, rollout, null)
  expect(await stack.outcome(rollout)).toBe('promoted')
  expectNothingLost(await traffic.stop())
}

function fillDisk(file: string): void {
  try {
    for (;;) appendFileSync(file, BLOCK)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
}

const refusedWrites = async (stack: Stack): Promise<number> =>
  (await scrape(stack)).value('sluice_store_failures_total', { operation: 'append', code: 'STORE_FULL' })

const weightsOf = ({ sets }: Awaited<ReturnType<Stack['router']>>): number[] =>
  sets.map(({ weightPermille }) => weightPermille).sort((a, b) => a - b)
