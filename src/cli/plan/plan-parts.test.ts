import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assessPlan } from '../../core/plan/assess-plan.ts'
import { composePlan } from '../../core/plan/compose.ts'
import type { Plan } from '../../core/plan/plan.ts'
import type { ServiceSettings } from '../../core/release/settings.ts'
import { releaseRecord, type SettingsChange, simulatedSettings } from '../../testkit/simulator/settings.ts'
import { planLines } from '../plan-text.ts'
import { type Line, paintLine, widthOfLine } from '../text/line.ts'
import { chartLines } from './chart-lines.ts'
import { riskLines } from './risk-lines.ts'

const CALM = { held: null, breaker: null, blocked: null, automaticRollbacks: 0, here: null, elsewhere: [] }

function planOf(change: SettingsChange & Pick<ServiceSettings, 'risk'> = {}): Plan {
  const { risk, ...rest } = change
  const settings = { ...simulatedSettings(rest), ...(risk === undefined ? {} : { risk }) }
  const [release, stable] = [releaseRecord('2.0.0', settings), releaseRecord('1.0.0', settings)]
  const content = composePlan({
    ...{ release, stable, candidate: null, kind: 'deploy', back: null, actor: 'ada', now: 0, warnings: [] },
    history: { provisionMs: 4000, drainMs: 2000, trafficOffMs: [] },
  })
  const input = { release, stable, trafficOffMs: [], measured: null, moment: CALM }
  return { ...assessPlan(content, input), id: 'plan-1', hash: 'h' }
}
const text = (lines: readonly Line[]): string => lines.map((line) => paintLine(line, false)).join('\n')

describe('the chart of a plan in a terminal', () => {
  it('is a line of shares over time, with instances and the letters of the ways back', () => {
    expect(text(chartLines(planOf(), 80))).toMatchInlineSnapshot(`
      "      100% ┤                                        ╭─────────────────────────
             50% ┤                              ╭─────────╯
             25% ┤                   ╭──────────╯
              5% ┤         ╭─────────╯
              0% ┼─────────╯
                  start    +4s       +14s       +24s      +34s         +1m4s   +1m6s
       old + new  2+2      2+2       2+2        2+2       2+2          2+2     0+2
        way back  A        B                                           C
                  The letters stand at the ways back below. Not to scale."
    `)
  })

  it('is left out where there is no room', () => {
    expect(chartLines(planOf(), 30)).toEqual([])
    expect(chartLines({ steps: [] }, 80)).toEqual([])
  })

  it('never is wider than the terminal', () => {
    const strategies: SettingsChange[] = [
      {},
      { blueGreen: { switchAfterMs: null, warmMs: 86_400_000 } },
      { rolling: {}, replicas: 9 },
    ]
    fc.assert(
      fc.property(fc.constantFrom(...strategies), fc.integer({ min: 40, max: 200 }), (strategy, columns) => {
        const lines = chartLines(planOf(strategy), columns)
        return lines.every((line) => widthOfLine(line) <= Math.max(columns, 68))
      }),
    )
  })
})

describe('the risk of a plan as text', () => {
  it('has factors with their evidence, the forecast, and the strategy that fits', () => {
    const plan = planOf({ risk: { application: 'banking', criticality: 'critical' } })
    expect(text(planLines(plan, { columns: 200 }))).toContain('  risk      Critical risk by blast radius.')
    const shown = text(riskLines(plan, 200))
    expect(shown).toContain('  factors   scope of change: high')
    expect(shown).toContain('1.0.0 → 2.0.0 is a major version; the code changes.')
    expect(shown).toContain('rollback forecast: 5m (the budget of the strategy; nothing was measured yet)')
    expect(shown).toContain('  fits      blue-green then canary. Banking, critical risk, no downtime:')
    expect(shown.replaceAll(/\s+/g, ' ')).toContain('The file asks for canary, and the file wins.')
  })

  it('is nothing for a plan that was made before there was any', () => {
    const { risk: _risk, recommendation: _recommendation, ...old } = planOf()
    expect(riskLines(old, 80)).toEqual([])
  })

  it('stands in the plan, with what it needs at its peak', () => {
    const shown = text(planLines(planOf(), { columns: 200 }))
    expect(shown).toContain(
      'peak      4 instances at the same time, 200% of stable: stable 2, and the candidate 2',
    )
    expect(shown).toMatch(/2 {2}traffic 5% +at once +2 \+ 2 +200%/)
    expect(shown).toContain('High risk by scope of change.')
  })
})
