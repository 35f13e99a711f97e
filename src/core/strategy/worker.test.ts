import { describe, expect, it } from 'vitest'
import { simulatedSettings } from '../../testkit/simulator/settings.ts'
import { compile } from './compile.ts'
import { stepWords } from './step-words.test.kit.ts'

const labels = (kind: 'deploy' | 'rollback', replicas: number): string[] =>
  stepWords(compile(kind, { ...simulatedSettings({ replicas }), listen: null }))

describe('the canary of a worker', () => {
  it('goes by whole instances, and leaves none of stable working at the end', () => {
    expect(labels('deploy', 8)).toEqual([
      ...['provision 1', 'traffic 125', 'shrink 7', 'observe'],
      ...['provision 2', 'traffic 250', 'shrink 6', 'observe'],
      ...['provision 4', 'traffic 500', 'shrink 4', 'observe'],
      ...['provision 8', 'traffic 1000', 'shrink 0'],
      ...['watch', 'promote', 'drain', 'retire'],
    ])
  })

  it('with one instance has one share: all of it', () => {
    expect(labels('deploy', 1).slice(0, 4)).toEqual(['provision 1', 'traffic 1000', 'shrink 0', 'watch'])
  })

  it('goes back in batches without waiting', () => {
    expect(labels('rollback', 4)).not.toContain('observe')
  })
})
