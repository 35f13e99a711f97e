import { describe, expect, it } from 'vitest'
import { simulatedSettings } from '../../testkit/simulator/settings.ts'
import type { BlueGreenSettings } from '../release/strategy-settings.ts'
import { compile, fullSteps } from './compile.ts'

const labels = (blueGreen: Partial<BlueGreenSettings>, replicas = 2): string[] =>
  compile('deploy', simulatedSettings({ blueGreen, replicas })).map((step) => {
    switch (step.kind) {
      case 'provision':
        return `provision ${step.replicas}`
      case 'traffic':
        return `traffic ${step.weightPermille}`
      case 'gate':
        return `gate ${step.durationMs ?? 'by hand'}`
      default:
        return step.kind
    }
  })

describe('blue-green', () => {
  it('starts a whole set, switches once, watches, and keeps the old set', () => {
    expect(labels({})).toEqual(['provision 2', 'traffic 1000', 'watch', 'promote', 'keep'])
  })

  it('lets the old set go after the watch where none is kept', () => {
    expect(labels({ warmMs: 0 }).slice(-2)).toEqual(['drain', 'retire'])
  })

  it('keeps the old set also when a person orders all traffic at once', () => {
    const settings = simulatedSettings({ blueGreen: { switchAfterMs: null } })
    expect(fullSteps(settings).map(({ kind }) => kind)).toEqual([
      'provision',
      'traffic',
      'watch',
      'promote',
      'keep',
    ])
  })

  it('leaves time to look before the switch, or waits for a person', () => {
    expect(labels({ switchAfterMs: 60_000 })[1]).toBe('gate 60000')
    expect(labels({ switchAfterMs: null })[1]).toBe('gate by hand')
  })

  it('grows a small preview to its full size before the switch (S30)', () => {
    const steps = labels({ switchAfterMs: null, previewReplicas: 1 }, 4)
    expect(steps.slice(0, 4)).toEqual(['provision 1', 'gate by hand', 'provision 4', 'traffic 1000'])
    expect(labels({ previewReplicas: 1 }, 4)[0]).toBe('provision 4')
  })

  it('may be followed by the steps of a canary instead of one switch', () => {
    const steps = [
      { weightPermille: 100, pauseMs: 1000, criteria: {} },
      { weightPermille: 1000, pauseMs: 0, criteria: {} },
    ]
    expect(labels({ steps })).toEqual([
      'provision 2',
      'traffic 100',
      'observe',
      'traffic 1000',
      'watch',
      'promote',
      'keep',
    ])
  })
})
