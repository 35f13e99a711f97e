import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Plan } from '../../src/core/plan/plan.ts'
import { startStack } from './kit/stack.ts'

const canary = { strategy: { canary: { steps: [{ weight: '10%', pause: '20s' }], watch: '5s' } } }
const risk = { application: 'banking', users: 2_000_000, schema: '1' }

describe('a plan through the real parts', () => {
  it('has its risk, the strategy that fits and its peak, follows the file, and can be simulated by its id', async () => {
    const stack = await startStack({
      versions: { '1.0.0': {}, '1.1.0': {} },
      stable: '1.0.0',
      file: { ...canary, risk },
    })
    const planned = () => stack.call('plan', { version: '1.1.0' }, Plan)
    const first = await planned()
    expect(first.strategy).toBe('canary')
    expect(first.risk?.level).toBe('critical')
    expect(first.recommendation).toMatchObject({
      strategy: 'blue-green then canary',
      used: 'canary',
      differs: true,
    })
    expect(first.peak?.percent).toBe(200)
    expect(await stack.call('get_plan', { id: first.id }, Plan)).toEqual(first)

    const metrics = path.join(stack.folder, 'bad.yaml')
    writeFileSync(metrics, 'metrics: [{ from: 0s, candidate: { errorRate: 20% } }]')
    const bad = await stack.cli('simulate', first.id, '--metrics', metrics)
    expect(bad).toMatchObject({ code: 10, out: expect.stringContaining('rolled back') })
    writeFileSync(metrics, 'metrics: [{ from: 0s }]')
    expect((await stack.cli('simulate', '1.1.0', '--metrics', metrics)).code).toBe(0)
    expect((await stack.view()).rollout?.to.version).toBe('1.0.0')

    // The release was recorded with the first plan; how it is released is what the file says now.
    stack.writeFile({ strategy: { blueGreen: { canary: 'quick' } }, risk: { ...risk, schema: '2' } })
    const second = await planned()
    expect(second).toMatchObject({ strategy: 'blue-green', to: { release: first.to.release } })
    expect(second.recommendation?.differs).toBe(false)
    expect(second.changes).toContainEqual({ path: 'risk.schema', from: '1', to: '2' })
    expect(second.hash).not.toBe(first.hash)
  })
})
