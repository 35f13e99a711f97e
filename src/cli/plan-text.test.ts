import { describe, expect, it } from 'vitest'
import { planOf } from './fixture/plan.test.fixture.ts'
import { planLines } from './plan-text.ts'
import { paintLine } from './text/line.ts'

const text = (plan: Parameters<typeof planLines>[0]): string =>
  planLines(plan, { columns: 200 })
    .map((line) => paintLine(line, false))
    .join('\n')

describe('the plan as text', () => {
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
