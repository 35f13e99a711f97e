import { percent } from '../criteria.ts'
import {
  type Axis,
  axis,
  type ChartOptions,
  drawing,
  type Frame,
  GAP,
  grid,
  LEFT,
  LETTER,
  LINE,
  legend,
  line,
  RIGHT,
  rule,
  shortened,
  shortNumber,
  timeAxis,
  timeLabels,
  topOf,
} from './chart-parts.ts'
import type { CheckEvidence, EvidencePoint } from './evidence.ts'
import { stretches } from './stretches.ts'
import { coordinate, node, type SvgNode } from './svg.ts'
import { crossedText, shareText, sideText } from './words.ts'

const PANEL = { evidence: 110, rates: 90 }
/** Evidence far beyond its threshold would press the line to the ground. */
const MOST_THRESHOLDS = 2.5
const LEAST_THRESHOLDS = -0.75
/** Single batches have few requests; a rate of some of them together can be read. */
const RATE_POINTS = 30

/** Evidence after each batch against its threshold, and the shares of both versions below it. */
export function evidenceChart(evidence: CheckEvidence, options: ChartOptions): SvgNode {
  const { start, top } = topOf(options)
  const right = options.width - RIGHT
  const upper = { start, left: start + LEFT, right, top, bottom: top + PANEL.evidence }
  const lowerTop = upper.bottom + GAP + LINE
  const lower = { ...upper, top: lowerTop, bottom: lowerTop + PANEL.rates }
  const x = timeAxis(evidence.points, upper)
  const { name, verdict, sentence } = evidence
  const said = { name, verdict, sentence, isBad: verdict === 'worse' }
  const label = describeChart(evidence, options)
  return drawing(options, { height: lower.bottom + LINE + 6, label, said }, [
    ...evidencePanel(evidence, upper, x),
    ...ratesPanel(evidence, lower, x, options),
    ...timeLabels(evidence.points, lower, `first ${looksOf(evidence)}`),
  ])
}

const looksOf = ({ about }: CheckEvidence): 'batch' | 'window' => (about === 'declared' ? 'window' : 'batch')

/** The drawing in words, for who cannot see it. */
export function describeChart(
  evidence: CheckEvidence,
  { candidate, stable }: Omit<ChartOptions, 'width'>,
): string {
  const { name, verdict, looks, logE, peakLogE, threshold, crossedAtBatch } = evidence
  const crossing =
    crossedAtBatch === null
      ? 'It was not reached.'
      : `It was reached with ${crossedText(evidence)}${evidence.about === 'declared' ? '' : ' of the rollout'}.`
  const sides = [`${candidate} ${sideText(evidence, evidence.candidate)}`]
  if (stable !== null) sides.push(`${stable} ${sideText(evidence, evidence.stable)}`)
  return `${name}: ${verdict}. Evidence after ${looks} ${looksOf(evidence) === 'batch' ? 'batches' : 'windows'} ${logE.toFixed(1)}, at most ${peakLogE.toFixed(1)}; worse from ${threshold.toFixed(1)} on. ${crossing} ${evidence.counted}: ${sides.join(', ')}.`
}

function evidencePanel(evidence: CheckEvidence, frame: Frame, x: Axis): SvgNode[] {
  const { points, threshold, crossedAt } = evidence
  const from = `worse from ${threshold.toFixed(1)} on`
  const highest = Math.max(threshold * 1.25, ...points.map((point) => point.logE * 1.05))
  const top = Math.min(highest, threshold * MOST_THRESHOLDS)
  const least = Math.min(0, ...points.map((point) => point.logE))
  const bottom = Math.max(least, threshold * LEAST_THRESHOLDS)
  const y = axis({ from: bottom, to: top }, { from: frame.bottom, to: frame.top })
  const inside = (value: number): number => y(Math.min(top, Math.max(bottom, value)))
  const crossing = points.find(({ at }) => crossedAt !== null && at >= crossedAt)
  return [
    node('text', { class: 'ink', x: frame.start, y: frame.top - 10 }, headOf(evidence, frame, from)),
    node('text', { class: 'bad', x: frame.right, y: frame.top - 10, 'text-anchor': 'end' }, from),
    ...grid(frame, [
      { at: y(0), text: '0' },
      { at: y(threshold), text: threshold.toFixed(1) },
    ]),
    rule('threshold', frame, y(threshold)),
    line(
      'line evidence-line',
      points.map((point) => [x(point.at), inside(point.logE)]),
    ),
    ...(crossing === undefined
      ? []
      : [
          node('circle', {
            class: 'crossing',
            cx: coordinate(x(crossing.at)),
            cy: coordinate(inside(crossing.logE)),
            r: 4,
          }),
        ]),
  ]
}

/** What there is room for beside the words about the threshold. */
function headOf(evidence: CheckEvidence, { start, right }: Frame, from: string): string {
  const short = `Evidence ${evidence.logE.toFixed(1)}`
  if (evidence.crossedAtBatch === null) return short
  const long = `${short}, crossed with ${crossedText(evidence)}`
  return (long.length + from.length + 2) * LETTER > right - start ? short : long
}

function ratesPanel(
  evidence: CheckEvidence,
  frame: Frame,
  x: Axis,
  { candidate, stable }: ChartOptions,
): SvgNode[] {
  const points = grouped(evidence.points)
  const share = (of: 'candidate' | 'stable', point: EvidencePoint): number | null =>
    point[of].total === 0 ? null : point[of].bad / point[of].total
  const all = points.flatMap((point) => [share('candidate', point) ?? 0, share('stable', point) ?? 0])
  const { limitShare } = evidence
  const top = 1.1 * Math.max(0.001, Math.max(...all, limitShare ?? 0))
  const y = axis({ from: 0, to: top }, { from: frame.bottom, to: frame.top })
  const drawn = (of: 'candidate' | 'stable'): SvgNode =>
    line(
      `line ${of}-line`,
      points.flatMap((point): [number, number][] => {
        const value = share(of, point)
        return value === null ? [] : [[x(point.at), y(value)]]
      }),
    )
  const limit = limitShare === null ? [] : [rule('limit', frame, y(limitShare))]
  return [
    node(
      'text',
      { class: 'ink', x: frame.start, y: frame.top - LINE - 6 },
      shortened(
        `${evidence.counted}${limitShare === null ? '' : `, limit ${shareText(evidence, limitShare)}`}`,
        frame.right - frame.start,
      ),
    ),
    ...legend({ candidate, stable }, frame),
    ...grid(frame, [
      { at: y(0), text: '0' },
      { at: y(top / 1.1), text: scaleText(evidence, top / 1.1) },
    ]),
    ...limit,
    ...(stable === null ? [] : [drawn('stable')]),
    drawn('candidate'),
  ]
}

/** On the axis there is little room, and what is counted stands above. */
const scaleText = ({ unit }: CheckEvidence, share: number): string =>
  unit === 'percent' ? percent(100 * share) : shortNumber(100 * share)

/** A rate of several points, where single ones have few requests. */
const grouped = (points: readonly EvidencePoint[]): EvidencePoint[] =>
  stretches(points, RATE_POINTS).map((some) => {
    const sum = (of: 'candidate' | 'stable') => ({
      bad: some.reduce((total, point) => total + point[of].bad, 0),
      total: some.reduce((total, point) => total + point[of].total, 0),
    })
    return { at: some.at(-1)?.at ?? 0, logE: 0, candidate: sum('candidate'), stable: sum('stable') }
  })
