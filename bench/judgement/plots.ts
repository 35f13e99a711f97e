import { addBatch, newState, verdictOf } from '../../src/core/analysis/sequential/state.ts'
import type { Picture } from '../kit/row.ts'
import { percentOf } from './cell.ts'
import { type Cell, outcomeAt, RISES } from './comparison.ts'
import { ALPHA, TABLE } from './judges.ts'
import { seedOf, uniformFrom } from './random.ts'
import { bar, COLORS, label, line, logScale, mark, path, type Shape, svgText } from './svg.ts'
import { type Run, runOf } from './world.ts'
import { BASE_PERCENTS, BASELINES, EQUAL, LOOK_SECONDS, steadyWorld } from './worlds.ts'

const METHODS: readonly { name: string; shape: Shape; color: string }[] = [
  { name: 'Sluice, one metric', shape: 'dot', color: COLORS.table },
  { name: 'Sluice, product defaults', shape: 'ring', color: COLORS.product },
  { name: 'naive z each minute', shape: 'cross', color: COLORS.naive },
  { name: 'threshold 5x', shape: 'triangle', color: COLORS.threshold },
  { name: 'Kayenta 10 min', shape: 'square', color: COLORS.kayenta },
  { name: 'Kayenta 30 min', shape: 'box', color: COLORS.kayenta },
]

const WIDTH = 720
const LEFT = 150
const RIGHT = WIDTH - 40

/** Median time until a bad candidate is found, baseline A. */
export function detectionPlot(cells: readonly Cell[]): Picture {
  const rows = BASE_PERCENTS.flatMap((base) =>
    RISES.filter((rise) => rise > 0).map((rise) => ({ base, rise, baseline: EQUAL.name })),
  )
  const top = 70
  const step = 26
  const bottom = top + rows.length * step
  const x = logScale([8, 2000], [LEFT, RIGHT])
  const ticks = [10, 30, 60, 120, 300, 600, 1800]
  const parts = [
    ...METHODS.flatMap(({ name, shape, color }, index) => {
      const at = { x: LEFT - 130 + (index % 3) * 230, y: 18 + Math.floor(index / 3) * 20 }
      return [mark(shape, at.x, at.y, color), label(at.x + 12, at.y + 4, name)]
    }),
    ...ticks.flatMap((tick) => [
      line({ x1: x(tick), y1: top - 8, x2: x(tick), y2: bottom }, 'grid'),
      label(x(tick), bottom + 16, tick < 120 ? `${tick} s` : `${tick / 60} min`, {
        anchor: 'middle',
        faint: true,
      }),
    ]),
    ...rows.flatMap((row, index) => {
      const y = top + step * (index + 0.5)
      const name = `${row.base}% -> ${Number((row.base + row.rise).toFixed(1))}%`
      const marks = METHODS.flatMap((method) => {
        const seconds = outcomeAt(cells, row, method.name).medianSeconds
        return seconds === null ? [] : [mark(method.shape, x(seconds), y, method.color)]
      })
      return [label(LEFT - 14, y + 4, name, { anchor: 'end' }), ...marks]
    }),
    label(
      LEFT,
      bottom + 36,
      'Median time until the bad candidate is found; no mark: found in fewer than half of the runs.',
      { faint: true },
    ),
  ]
  const title = 'Median time until a bad candidate is found, by method'
  return {
    kind: 'picture',
    what: title,
    file: 'judgement-detection.svg',
    svg: svgText({ width: WIDTH, height: bottom + 48, title }, parts),
  }
}

const SMALLEST_PERCENT = 0.02

/** The most false alarms of the six harmless cells, by method. */
export function falseAlarmPlot(cells: readonly Cell[]): Picture {
  const methods = [...METHODS, { name: 'threshold 1x', color: COLORS.threshold }]
  const top = 16
  const step = 26
  const bottom = top + methods.length * step
  const left = 190
  const x = logScale([SMALLEST_PERCENT, 100], [left, RIGHT - 40])
  const parts = [
    ...[0.1, 1, 10, 100].flatMap((tick) => [
      line({ x1: x(tick), y1: top - 6, x2: x(tick), y2: bottom }, tick === 1 ? 'axis' : 'grid'),
      label(x(tick), bottom + 16, `${tick}%`, { anchor: 'middle', faint: true }),
    ]),
    ...methods.flatMap(({ name, color }, index) => {
      const y = top + step * index
      const percent = Math.max(
        ...BASE_PERCENTS.flatMap((base) =>
          BASELINES.map((baseline) =>
            percentOf(outcomeAt(cells, { base, rise: 0, baseline: baseline.name }, name)),
          ),
        ),
      )
      const end = x(Math.max(percent, SMALLEST_PERCENT))
      return [
        label(left - 10, y + 15, name, { anchor: 'end' }),
        bar({ x: left, y: y + 4, width: end - left, height: 15 }, color),
        label(end + 6, y + 16, `${Number(percent.toPrecision(2))}%`),
      ]
    }),
    label(
      left,
      bottom + 36,
      'Good candidates rolled back in 30 minutes, worst of six cells. The aim is 1%.',
      { faint: true },
    ),
  ]
  const title = 'False alarms in 30 minutes, by method'
  return {
    kind: 'picture',
    what: title,
    file: 'judgement-false-alarms.svg',
    svg: svgText({ width: WIDTH, height: bottom + 48, title }, parts),
  }
}

const SHOWN_RUNS = 8
const LOWEST = -8
const HIGHEST = 7

/** Evidence over time of some runs that are as good as stable, and of some that are 0.5 points worse. */
export function evidencePlot(): Picture {
  const top = 20
  const bottom = 280
  const x = (look: number): number => 60 + ((RIGHT - 60) * look) / 180
  const y = (value: number): number =>
    bottom - ((Math.min(Math.max(value, LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST)) * (bottom - top)
  const threshold = Math.log(1 / ALPHA)
  const curves = [
    { rise: 0, color: COLORS.product },
    { rise: 0.5, color: COLORS.threshold },
  ].flatMap(({ rise, color }) => {
    const uniform = uniformFrom(seedOf(`evidence ${rise}`))
    return Array.from({ length: SHOWN_RUNS }, () =>
      path(
        evidenceOf(runOf(steadyWorld({ base: 0.5, rise }, EQUAL), uniform)).map((value, look) => ({
          x: x(look),
          y: y(value),
        })),
        color,
      ),
    )
  })
  const parts = [
    ...[0, 5, 10, 15, 20, 25, 30].flatMap((minute) => {
      const at = x((minute * 60) / LOOK_SECONDS)
      return [
        line({ x1: at, y1: top, x2: at, y2: bottom }, 'grid'),
        label(at, bottom + 16, `${minute} min`, { anchor: 'middle', faint: true }),
      ]
    }),
    ...[-5, 0, 5].map((value) => label(50, y(value) + 4, String(value), { anchor: 'end', faint: true })),
    ...curves,
    line({ x1: 60, y1: y(threshold), x2: RIGHT, y2: y(threshold) }, 'axis'),
    label(RIGHT, y(threshold) - 6, 'roll back: 1 in 100', { anchor: 'end' }),
    label(
      60,
      bottom + 36,
      'ln E of 8 candidates at 0.5% like stable (green) and of 8 at 1% (red, drawn until they cross).',
      { faint: true },
    ),
  ]
  const title = 'Evidence over time of good and of bad candidates'
  return {
    kind: 'picture',
    what: title,
    file: 'judgement-evidence.svg',
    svg: svgText({ width: WIDTH, height: bottom + 48, title }, parts),
  }
}

/** From nothing, until it crosses the threshold. */
function evidenceOf(run: Run): number[] {
  const metric = TABLE.metricOf(run)
  const values = [0]
  let state = newState()
  for (const batch of run.looks) {
    state = addBatch(metric, state, batch)
    const { verdict, logEvalue } = verdictOf(metric, state, TABLE.alpha)
    values.push(logEvalue)
    if (verdict === 'worse') break
  }
  return values
}
