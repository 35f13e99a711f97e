import { describe, expect, it } from 'vitest'
import { simulatedSettings } from '../../testkit/simulator/settings.ts'
import { compile } from './compile.ts'
import { stepWords } from './step-words.test.kit.ts'

const words = (replicas: number, instances: { instances?: 'share' }): string[] =>
  stepWords(compile('deploy', simulatedSettings({ replicas, strategy: instances })))
const END = ['watch', 'promote', 'drain', 'retire']

describe('the canary', () => {
  it('has all its instances from the start', () => {
    expect(words(8, {})).toEqual([
      ...['provision 8', 'traffic 50', 'observe', 'traffic 250', 'observe', 'traffic 500', 'observe'],
      ...['traffic 1000', ...END],
    ])
  })

  it('by share has as many as its traffic asks for, rounded up', () => {
    expect(words(8, { instances: 'share' })).toEqual([
      ...['provision 1', 'traffic 50', 'observe'],
      ...['provision 2', 'traffic 250', 'observe'],
      ...['provision 4', 'traffic 500', 'observe'],
      ...['provision 8', 'traffic 1000', ...END],
    ])
  })

  it('by share grows only where the next stage needs more', () => {
    expect(words(2, { instances: 'share' })).toEqual([
      ...['provision 1', 'traffic 50', 'observe', 'traffic 250', 'observe', 'traffic 500', 'observe'],
      ...['provision 2', 'traffic 1000', ...END],
    ])
  })
})
