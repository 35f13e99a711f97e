import { describe, expect, it } from 'vitest'
import { simulatedSettings } from '../../testkit/simulator/settings.ts'
import { sizesOf } from '../plan/sizes.ts'
import type { RollingSettings } from '../release/strategy-settings.ts'
import { compile, fullSteps } from './compile.ts'
import { rollingLimits } from './rolling.ts'
import { stepWords } from './step-words.test.kit.ts'

const settingsOf = (rolling: Partial<RollingSettings>, replicas: number) =>
  simulatedSettings({ rolling, replicas })
const labels = (rolling: Partial<RollingSettings>, replicas: number, old = replicas): string[] =>
  stepWords(compile('deploy', settingsOf(rolling, replicas), { replicas: old, canShrink: true }))

describe('rolling', () => {
  it('starts one more, gives it its share, lets one of stable go, and looks', () => {
    expect(labels({}, 3)).toEqual([
      ...['provision 1', 'traffic 333', 'shrink 2', 'observe'],
      ...['provision 2', 'traffic 666', 'shrink 1', 'observe'],
      ...['provision 3', 'traffic 1000', 'watch', 'promote', 'drain', 'retire'],
    ])
  })

  it('lets one of stable go first where there is room for no more', () => {
    expect(labels({ surge: 0, unavailable: 1, pauseMs: 0 }, 2)).toEqual([
      ...['shrink 1', 'provision 1', 'traffic 1000', 'shrink 0', 'provision 2'],
      ...['watch', 'promote', 'drain', 'retire'],
    ])
  })

  it('does not shrink stable below what has to serve', () => {
    const steps = labels({ surge: 1, unavailable: 3, minHealthy: 3, pauseMs: 0 }, 4)
    expect(steps.slice(0, 3)).toEqual(['provision 1', 'traffic 333', 'shrink 2'])
  })

  it('keeps within its bounds for every size, surge and number of missing instances', () => {
    for (const [surge, unavailable] of [
      [1, 0],
      [0, 1],
      [2, 1],
      [3, 3],
    ] as const)
      for (const old of [1, 2, 3, 7, 20])
        for (const replicas of [2, 3, 8, 20]) {
          if (surge === 0 && old <= unavailable) continue
          const settings = settingsOf({ surge, unavailable }, replicas)
          const steps = compile('deploy', settings, { replicas: old, canShrink: true })
          const { floor } = rollingLimits(settings, { ...RULES, surge, unavailable }, old)
          const sizes = sizesOf(steps, { stable: old, candidate: replicas })
          for (const [index, { stable, candidate }] of sizes.entries()) {
            expect(stable + candidate).toBeLessThanOrEqual(Math.max(old, replicas) + surge)
            if (steps[index]?.kind === 'shrink') expect(stable + candidate).toBeGreaterThanOrEqual(floor)
          }
          expect(sizes.at(-1)).toEqual({ stable: 0, candidate: replicas })
          expect(steps.filter(({ kind }) => kind === 'traffic').at(-1)).toMatchObject({
            weightPermille: 1000,
          })
        }
  })

  it('waits at no batch where a person orders all of it at once, and leaves no batch out', () => {
    const steps = fullSteps(settingsOf({}, 3))
    expect(steps.filter(({ kind }) => kind === 'observe')).toEqual([])
    expect(steps.filter(({ kind }) => kind === 'shrink')).toHaveLength(2)
  })

  it('goes back to an earlier release in batches', () => {
    const steps = compile('rollback', settingsOf({}, 3))
    expect(steps.map(({ kind }) => kind)).not.toContain('watch')
    expect(steps.filter(({ kind }) => kind === 'shrink')).toHaveLength(2)
  })

  it('replaces what was adopted at once, since nobody can start it again', () => {
    const steps = compile('deploy', settingsOf({}, 2), { replicas: 1, canShrink: false })
    expect(steps.map(({ kind }) => kind).slice(0, 2)).toEqual(['provision', 'traffic'])
  })
})

const RULES: RollingSettings = {
  ...{ kind: 'rolling', surge: 1, unavailable: 0, minHealthy: null, pauseMs: 0, criteria: {} },
  ...{ watchMs: 0, lightWatch: null, holdMs: 0, readyPercent: 100 },
}
