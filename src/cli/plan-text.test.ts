import { describe, expect, it } from 'vitest'
import type { Plan } from '../core/plan/plan.ts'
import { planOf } from './fixture/plan.test.fixture.ts'
import { planLines } from './plan-text.ts'
import { paintLine } from './text/line.ts'

const text = (plan: Parameters<typeof planLines>[0]): string =>
  planLines(plan, { columns: 200 })
    .map((line) => paintLine(line, false))
    .join('\n')

const RISK: NonNullable<Plan['risk']> = {
  level: 'medium',
  sentence: 'Medium risk by scope of change.',
  factors: [],
  rollback: { forecastMs: 300_000, text: '5m', raises: false },
}

describe('the plan as text', () => {
  it('says on top what matters: what goes where and how, the risk, what differs, what to mind', () => {
    const code = { path: 'artifact', from: `sha256:${'a'.repeat(64)}`, to: `sha256:${'b'.repeat(64)}` }
    const version = { path: 'version', from: '1.0.0', to: '1.1.0' }
    const shown = text(planOf({ changes: [version, code], risk: RISK }))
    expect(shown.split('\n').slice(0, 6)).toEqual([
      'Deploy shop in local: 1.0.0 → 1.1.0',
      '  how       canary by 5%, as long as the person takes who has to say so; at most 4 instances at the same time',
      '  risk      Medium risk by scope of change.',
      '  changes   the code: sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb',
      '  warning   Nobody has answered 1.0.0 before: there is no history.',
      '',
    ])
  })

  it('names a few changes on top and all of them at the end, and a version alone as such', () => {
    const changes = ['A', 'B', 'C', 'D'].map((name) => ({ path: `run.env.${name}`, from: null, to: 'x' }))
    const shown = text(planOf({ changes })).split('\n')
    expect(shown.slice(2, 5)).toEqual([
      '  changes   run.env.A: not set → x',
      '            run.env.B: not set → x',
      '            and 2 more, listed at the end',
    ])
    expect(shown.slice(-3)).toEqual([
      '            run.env.C: not set → x',
      '            run.env.D: not set → x',
      '  plan      plan-a1, of 1.1.0-88ab12cd34',
    ])
    const alone = text(planOf({ changes: [{ path: 'version', from: '1.0.0', to: '1.1.0' }] }))
    expect(alone).toContain('  changes   the version only; all settings stay')
  })

  it('tells many shares by their number', () => {
    const [first] = planOf().steps
    const steps = [100, 200, 300, 400, 500, 1000].map((weightPermille) => ({
      ...first!,
      step: { kind: 'traffic' as const, weightPermille },
    }))
    expect(text(planOf({ strategy: 'rolling', steps, expectedMs: 90_000 }))).toContain(
      '  how       rolling in 6 shares from 10% to 100%, about 1m30s in all; at most 4 instances',
    )
  })

  it('shows every step with its time, instances and the way back, then changes, peak and warnings', () => {
    const shown = text(planOf())
    expect(shown).toContain('Deploy shop in local: 1.0.0 → 1.1.0')
    expect(shown).toMatch(/1 {2}provision 2 +about 4s +2 \+ 2/)
    expect(shown).toContain('way back  A, from step 1: stops the candidate, traffic never left stable')
    expect(shown).toContain('          B, from steps 2 to 3: all traffic back to stable within 1s')
    expect(shown).toMatch(/3 {2}observe +until a person says so/)
    expect(shown).toContain('run.env.LOG_LEVEL: info → debug')
    expect(shown).toContain('run.replicas: not set → 2')
    expect(shown).toContain('4 instances at the same time')
    expect(shown).toContain('warning   Nobody has answered')
  })

  it('says who reaches the candidate besides the weights', () => {
    const shown = text(
      planOf({ besides: ['127.0.0.1:8090 shows the candidate.', 'Users keep their version.'] }),
    )
    expect(shown).toContain(
      '  besides   127.0.0.1:8090 shows the candidate.\n            Users keep their version.',
    )
  })

  it('says so when there is nothing to do', () => {
    expect(text(planOf({ kind: 'none' }))).toBe('✓ Nothing to do: 1.1.0 is what shop runs in local.')
  })

  it('names a first release and does not list its settings as changes', () => {
    const shown = text(planOf({ kind: 'first', from: null }))
    expect(shown).toContain('First release of shop in local: 1.1.0')
    expect(shown).not.toContain('changes')
  })
})
