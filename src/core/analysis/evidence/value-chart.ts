import {
  type Axis,
  axis,
  type ChartOptions,
  drawing,
  type Frame,
  grid,
  LINE,
  legend,
  line,
  RIGHT,
  shortened,
  shortNumber,
  timeAxis,
  timeLabels,
  topOf,
} from './chart-parts.ts'
import type { ValueEvidence, ValuePoint } from './evidence.ts'
import { node, type SvgNode } from './svg.ts'
import { digits, distanceText } from './words.ts'

const PANEL = 140
/** Values have more digits than shares. */
const LEFT = 52

/** The values of both versions, and the limits that go with stable's. */
export function valueChart(evidence: ValueEvidence, options: ChartOptions): SvgNode {
  const { name, verdict, sentence, points } = evidence
  const { start, top: above } = topOf(options)
  const top = above + LINE
  const frame = { start, left: start + LEFT, right: options.width - RIGHT, top, bottom: top + PANEL }
  const said = { name, verdict, sentence, isBad: verdict === 'critical' }
  const label = describeValues(evidence, options)
  return drawing(options, { height: frame.bottom + LINE + 6, label, said }, [
    ...valuesPanel(evidence, frame, options),
    ...timeLabels(points, frame, 'first window'),
  ])
}

/** The drawing in words, for who cannot see it. */
export function describeValues(
  { name, verdict, points, windows, limit }: ValueEvidence,
  { candidate, stable }: Omit<ChartOptions, 'width'>,
): string {
  const last = points.at(-1)
  if (last === undefined) return `${name}: ${verdict}. No window has values of both versions.`
  const distance = distanceText(last.percent)
  return `${name}: ${verdict}. After ${windows} ${windows === 1 ? 'window' : 'windows'} ${candidate} ${digits(last.candidate)}, ${stable ?? 'stable'} ${digits(last.stable)}${distance === null ? '' : `: ${distance}`}; limits: ${limit}.`
}

type Limit = { name: string; of(point: ValuePoint): number }

function valuesPanel(evidence: ValueEvidence, frame: Frame, { candidate, stable }: ChartOptions): SvgNode[] {
  const { points } = evidence
  const limits = limitsOf(evidence)
  const x = timeAxis(points, frame)
  const all = points.flatMap((point) => [point.candidate, point.stable, ...limits.map(({ of }) => of(point))])
  const { least, most, y } = scaleOf(all, frame)
  const drawn = (name: string, of: (point: ValuePoint) => number): SvgNode =>
    line(
      name,
      points.map((point) => [x(point.at), y(of(point))]),
    )
  return [
    node(
      'text',
      { class: 'ink', x: frame.start, y: frame.top - LINE - 6 },
      shortened(`Values, limit ${evidence.limit}`, frame.right - frame.start),
    ),
    ...legend({ candidate, stable }, frame),
    ...grid(frame, [
      { at: y(least), text: shortNumber(least) },
      { at: y(most), text: shortNumber(most) },
    ]),
    ...limits.map(({ name, of }) => drawn(name, of)),
    ...(stable === null ? [] : [drawn('line stable-line', (point) => point.stable)]),
    drawn('line candidate-line', (point) => point.candidate),
  ]
}

/** The grid lines, and a little air around them. */
function scaleOf(all: readonly number[], frame: Frame): { least: number; most: number; y: Axis } {
  const [least, most] = [Math.min(0, ...all), Math.max(...all, 0)]
  const air = 0.08 * (most - least || 1)
  const range = { from: least, to: most + air || 1 }
  return { least, most, y: axis(range, { from: frame.bottom, to: frame.top }) }
}

/** A limit is a share of what stable has in the same window. */
function limitsOf({ direction, warningPercent, criticalPercent }: ValueEvidence): Limit[] {
  const signs = direction === 'either' ? [-1, 1] : [direction === 'more-is-worse' ? 1 : -1]
  const at = (name: string, percent: number): Limit[] =>
    signs.map((sign) => ({
      name,
      of: ({ stable }) => stable + (sign * Math.abs(stable) * percent) / 100,
    }))
  return [...at('caution', warningPercent), ...(criticalPercent === null ? [] : at('limit', criticalPercent))]
}
