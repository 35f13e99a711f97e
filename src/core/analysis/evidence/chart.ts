import { formatDuration } from '../../shared/duration.ts'
import { percent } from '../criteria.ts'
import type { CheckEvidence, EvidencePoint } from './evidence.ts'
import { coordinate, node, type SvgNode } from './svg.ts'

export type ChartOptions = {
  /** Of the drawing, in pixels of it. */
  width: number
  /** Versions. */
  candidate: string
  stable: string | null
  /** Name and verdict above, and colours of its own: for a file. Without it whoever shows it has both. */
  isAlone?: boolean
}

const TEXT = 12
const LINE = 18
/** A letter is about 0.6 of its height wide. */
const LETTER = 0.6 * TEXT
const PANEL = { evidence: 110, rates: 90 }
const GAP = 32
const LEFT = 44
const RIGHT = 8
const PADDING = 8
/** Evidence far beyond its threshold would press the line to the ground. */
const MOST_THRESHOLDS = 2.5
const LEAST_THRESHOLDS = -0.75
/** Single batches have few requests; a rate of some of them together can be read. */
const RATE_POINTS = 30

type Frame = { start: number; left: number; right: number; top: number; bottom: number }
type Axis = (value: number) => number

/** Evidence after each batch against its threshold, and the shares of both versions below it. */
export function evidenceChart(evidence: CheckEvidence, options: ChartOptions): SvgNode {
  const { width, isAlone = false } = options
  const head = isAlone ? 2 * LINE + 10 : 0
  const start = isAlone ? PADDING : 0
  const top = head + LINE + 4
  const upper = { start, left: start + LEFT, right: width - RIGHT, top, bottom: top + PANEL.evidence }
  const lowerTop = upper.bottom + GAP + LINE
  const lower = { ...upper, top: lowerTop, bottom: lowerTop + PANEL.rates }
  const height = lower.bottom + LINE + 6
  const x = timeAxis(evidence.points, upper)
  return node(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      class: 'evidence',
      'font-family': 'system-ui, sans-serif',
      'font-size': TEXT,
      'aria-label': describeChart(evidence, options),
    },
    ...(isAlone ? aloneParts(evidence, { width, height }) : []),
    ...evidencePanel(evidence, upper, x),
    ...ratesPanel(evidence, lower, x, options),
    ...timeLabels(evidence.points, lower),
  )
}

/** The drawing in words, for who cannot see it. */
export function describeChart(
  evidence: CheckEvidence,
  { candidate, stable }: Omit<ChartOptions, 'width'>,
): string {
  const { name, verdict, looks, logE, peakLogE, threshold, crossedAtBatch } = evidence
  const crossing =
    crossedAtBatch === null
      ? 'It was not reached.'
      : `It was reached with batch ${crossedAtBatch} of the rollout.`
  const bad = badWords(evidence)
  const sides = [`${candidate} ${sideText(evidence.candidate)}`]
  if (stable !== null) sides.push(`${stable} ${sideText(evidence.stable)}`)
  return `${name}: ${verdict}. Evidence after ${looks} batches ${logE.toFixed(1)}, at most ${peakLogE.toFixed(1)}; worse from ${threshold.toFixed(1)} on. ${crossing} ${bad}: ${sides.join(', ')}.`
}

/** `Errors`, `Slower than 300 ms`. */
export const badWords = ({ about, boundMs }: Pick<CheckEvidence, 'about' | 'boundMs'>): string =>
  about === 'errors' ? 'Errors' : boundMs === null ? 'Slow requests' : `Slower than ${boundMs} ms`

/** `4.1% (48 of 1,170)`. */
export const sideText = ({ bad, total }: { bad: number; total: number }): string =>
  total === 0
    ? 'no requests'
    : `${percent((100 * bad) / total)} (${bad.toLocaleString('en-US')} of ${total.toLocaleString('en-US')})`

function aloneParts(
  { name, verdict, sentence }: CheckEvidence,
  { width, height }: { width: number; height: number },
): SvgNode[] {
  return [
    node('title', {}, `${name}: ${verdict}`),
    node('desc', {}, sentence),
    node('style', {}, OWN_COLOURS),
    node('rect', { class: 'ground', x: 0, y: 0, width, height }),
    node('text', { class: 'ink strong', x: PADDING, y: LINE }, name),
    node('text', { class: verdict === 'worse' ? 'bad strong' : 'ink', x: PADDING, y: 2 * LINE }, verdict),
  ]
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
function headOf({ logE, crossedAtBatch }: CheckEvidence, { start, right }: Frame, from: string): string {
  const short = `Evidence ${logE.toFixed(1)}`
  if (crossedAtBatch === null) return short
  const long = `${short}, crossed with batch ${crossedAtBatch}`
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
      `${badWords(evidence)}${limitShare === null ? '' : `, limit ${percent(100 * limitShare)}`}`,
    ),
    ...legend({ candidate, stable }, frame),
    ...grid(frame, [
      { at: y(0), text: '0' },
      { at: y(top / 1.1), text: percent((100 * top) / 1.1) },
    ]),
    ...limit,
    ...(stable === null ? [] : [drawn('stable')]),
    drawn('candidate'),
  ]
}

function legend(
  { candidate, stable }: { candidate: string; stable: string | null },
  { left, right, top }: Frame,
): SvgNode[] {
  const half = (right - left) / 2
  const entry = (at: number, of: string, version: string): SvgNode[] => [
    node('path', { class: `line ${of}-line`, d: `M${at} ${top - 10}h20` }),
    node('text', { class: 'quiet', x: at + 26, y: top - 6 }, shortened(version, half - 30)),
  ]
  return [
    ...entry(left, 'candidate', candidate),
    ...(stable === null ? [] : entry(left + half, 'stable', stable)),
  ]
}

function shortened(text: string, width: number): string {
  const letters = Math.max(4, Math.floor(width / LETTER))
  return text.length > letters ? `${text.slice(0, letters - 1)}…` : text
}

function timeLabels(points: readonly EvidencePoint[], { left, right, bottom }: Frame): SvgNode[] {
  const [first, last] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 0]
  const lasted = Math.max(0, Math.round((last - first) / 1000) * 1000)
  const y = bottom + LINE
  return [
    node('text', { class: 'quiet', x: left, y }, 'first batch'),
    ...(lasted === 0
      ? []
      : [
          node(
            'text',
            { class: 'quiet', x: right, y, 'text-anchor': 'end' },
            `${formatDuration(lasted)} later`,
          ),
        ]),
  ]
}

function grid({ left, right }: Frame, labels: readonly { at: number; text: string }[]): SvgNode[] {
  return labels.flatMap(({ at, text }) => [
    node('path', { class: 'grid', d: `M${left} ${coordinate(at)}H${right}` }),
    node('text', { class: 'quiet', x: left - 6, y: coordinate(at + TEXT / 3), 'text-anchor': 'end' }, text),
  ])
}

const rule = (name: string, { left, right }: Frame, at: number): SvgNode =>
  node('path', { class: name, d: `M${left} ${coordinate(at)}H${right}` })

/** A single point is a dot: a line of no length with round ends. */
function line(name: string, points: readonly (readonly [number, number])[]): SvgNode {
  const written = points.map(([x, y]) => `${coordinate(x)} ${coordinate(y)}`)
  return node('path', {
    class: name,
    d: written.length === 0 ? 'M0 0' : `M${written.join('L')}${written.length === 1 ? 'h0' : ''}`,
  })
}

function timeAxis(points: readonly EvidencePoint[], { left, right }: Frame): Axis {
  const [first, last] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 0]
  return axis({ from: first, to: Math.max(first + 1, last) }, { from: left, to: right })
}

type Range = { from: number; to: number }
const axis =
  (values: Range, pixels: Range): Axis =>
  (value) =>
    pixels.from + ((value - values.from) / (values.to - values.from)) * (pixels.to - pixels.from)

function grouped(points: readonly EvidencePoint[]): EvidencePoint[] {
  const count = Math.min(RATE_POINTS, points.length)
  return Array.from({ length: count }, (_, group) => {
    const some = points.slice(
      Math.floor((group * points.length) / count),
      Math.floor(((group + 1) * points.length) / count),
    )
    const sum = (of: 'candidate' | 'stable') => ({
      bad: some.reduce((total, point) => total + point[of].bad, 0),
      total: some.reduce((total, point) => total + point[of].total, 0),
    })
    return { at: some.at(-1)?.at ?? 0, logE: 0, candidate: sum('candidate'), stable: sum('stable') }
  })
}

/** The same names have the colours of the page there. */
const OWN_COLOURS = `
.ground{fill:#fff}.ink{fill:#17181c}.quiet{fill:#4b4e58}.strong{font-weight:600}.bad{fill:#bd2222}
.grid{stroke:#e6e6ea}.threshold,.limit{stroke:#bd2222;stroke-dasharray:2 3;stroke-width:1.5;fill:none}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.evidence-line{stroke:#17181c}.candidate-line{stroke:#2a5bd7}.stable-line{stroke:#7b7f8b;stroke-dasharray:6 4}
.crossing{fill:#bd2222;stroke:#fff;stroke-width:1.5}
@media (prefers-color-scheme:dark){
.ground{fill:#121418}.ink{fill:#ecedf1}.quiet{fill:#b0b3bd}.bad{fill:#ff8178}
.grid{stroke:#383c46}.threshold,.limit{stroke:#ff8178}
.evidence-line{stroke:#ecedf1}.candidate-line{stroke:#7aa2ff}.stable-line{stroke:#8f939f}
.crossing{fill:#ff8178;stroke:#121418}
}`
