import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { releaseRecord, simulatedSettings } from '../../../testkit/simulator/settings.ts'
import { type SvgNode, svgText } from '../../analysis/evidence/svg.ts'
import type { ServiceSettings } from '../../release/settings.ts'
import { composePlan } from '../compose.ts'
import type { Plan } from '../plan.ts'
import { describePlan, planChart } from './plan-chart.ts'
import { beginText, pictureOf } from './stretches.ts'

const LETTER = 7.2
const HEIGHT = 12
const ALONE = { width: 400, isAlone: true }

function planOf(settings: ServiceSettings, version = '1.1.0'): Plan {
  const content = composePlan({
    release: releaseRecord(version, settings),
    stable: releaseRecord('1.0.0', settings),
    ...{ candidate: null, kind: 'deploy', back: null, actor: 'ada', now: 0, warnings: [] },
    history: { provisionMs: 4000, drainMs: 2000, trafficOffMs: [] },
  })
  return { ...content, id: 'plan-1', hash: 'h' }
}

type Box = { text: string; left: number; right: number; top: number; bottom: number }
function boxesOf({ tag, attributes, children }: SvgNode): Box[] {
  const inner = children.flatMap((child) => (typeof child === 'string' ? [] : boxesOf(child)))
  if (tag !== 'text') return inner
  const text = String(children[0])
  const width = text.length * LETTER
  const [x, y] = [Number(attributes.x), Number(attributes.y)]
  const anchor = attributes['text-anchor']
  const left = anchor === 'end' ? x - width : anchor === 'middle' ? x - width / 2 : x
  return [{ text, left, right: left + width, top: y - HEIGHT + 3, bottom: y + 2 }]
}
function overlaps(boxes: readonly Box[]): [string, string][] {
  return boxes.flatMap((a, index) =>
    boxes
      .slice(index + 1)
      .filter((b) => a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom && b.top < a.bottom)
      .map((b): [string, string] => [a.text, b.text]),
  )
}

const PLANS: [string, Plan][] = [
  ['a canary', planOf(simulatedSettings())],
  ['blue-green', planOf(simulatedSettings({ blueGreen: { switchAfterMs: null, warmMs: 86_400_000 } }))],
  ['a version without end', planOf(simulatedSettings(), '9'.repeat(90))],
]

describe('the picture of a plan', () => {
  it('has no colours of its own on a page, which allows none and has them already', () => {
    for (const [, plan] of PLANS) expect(svgText(planChart(plan, { width: 400 }))).not.toContain('<style')
  })

  it.each(PLANS)('of %s keeps its labels apart and inside of 400 pixels', (_, plan) => {
    const chart = planChart(plan, ALONE)
    const boxes = boxesOf(chart)
    expect(overlaps(boxes)).toEqual([])
    for (const { text, left, right } of boxes) {
      expect(left, text).toBeGreaterThanOrEqual(0)
      expect(right, text).toBeLessThanOrEqual(400)
    }
  })

  it('never lets labels touch, whatever the stages are', () => {
    const stages = fc.uniqueArray(fc.integer({ min: 1, max: 999 }), { minLength: 1, maxLength: 20 })
    const pause = fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 90_000_000 }))
    fc.assert(
      fc.property(stages, fc.array(pause, { minLength: 20, maxLength: 20 }), (weights, pauses) => {
        const sorted = weights.sort((a, b) => a - b)
        const steps = [...sorted, 1000].map((weightPermille, index) => ({
          ...{ weightPermille, criteria: {} },
          pauseMs: weightPermille === 1000 ? 0 : (pauses[index] ?? null),
        }))
        return (
          overlaps(boxesOf(planChart(planOf(simulatedSettings({ strategy: { steps } })), ALONE))).length === 0
        )
      }),
      { numRuns: 40 },
    )
  })

  it('has a title, a description in words, and colours for light and dark', () => {
    const plan = planOf(simulatedSettings())
    const text = svgText(planChart(plan, ALONE))
    expect(text).toContain('<title>shop in local: 1.0.0 → 1.1.0: canary, 1m6s, peak 4 instances</title>')
    expect(text).toContain('prefers-color-scheme:dark')
    expect(text).toContain('role="img"')
    expect(describePlan(plan)).toMatch(
      /^canary, 1m6s.*Step 1 start: 0% of traffic, 2 old and 2 new instances, way back A; Steps 2 to 3 \+4s: 5%.*A: No traffic has moved/,
    )
    expect(text).not.toMatch(/NaN|Infinity|undefined/)
  })

  it('shows each way back by its letter, and no time after a person has to say so', () => {
    const { stretches, waysBack } = pictureOf(
      planOf(simulatedSettings({ blueGreen: { switchAfterMs: null } })),
    )
    expect(waysBack.map(({ letter }) => letter)).toEqual(['A', 'B', 'C'])
    expect(stretches.map(beginText).slice(0, 3)).toEqual(['start', '+4s', '?'])
    expect(stretches.map(({ weightPermille }) => weightPermille).at(-1)).toBe(1000)
  })
})
