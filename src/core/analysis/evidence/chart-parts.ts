import { formatDuration } from '../../shared/duration.ts'
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
export const LINE = 18
/** A letter is about 0.6 of its height wide. */
export const LETTER = 0.6 * TEXT
export const GAP = 32
export const LEFT = 44
export const RIGHT = 8
const PADDING = 8

export type Frame = { start: number; left: number; right: number; top: number; bottom: number }
export type Axis = (value: number) => number

export function legend(
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

export function shortened(text: string, width: number): string {
  const letters = Math.max(4, Math.floor(width / LETTER))
  return text.length > letters ? `${text.slice(0, letters - 1)}…` : text
}

type Timed = { at: number }

export function timeLabels(
  points: readonly Timed[],
  { left, right, bottom }: Frame,
  first = 'first batch',
): SvgNode[] {
  const [begin, last] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 0]
  const lasted = Math.max(0, Math.round((last - begin) / 1000) * 1000)
  const y = bottom + LINE
  return [
    node('text', { class: 'quiet', x: left, y }, first),
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

export function grid({ left, right }: Frame, labels: readonly { at: number; text: string }[]): SvgNode[] {
  return labels.flatMap(({ at, text }) => [
    node('path', { class: 'grid', d: `M${left} ${coordinate(at)}H${right}` }),
    node('text', { class: 'quiet', x: left - 6, y: coordinate(at + TEXT / 3), 'text-anchor': 'end' }, text),
  ])
}

export const rule = (name: string, { left, right }: Frame, at: number): SvgNode =>
  node('path', { class: name, d: `M${left} ${coordinate(at)}H${right}` })

/** A single point is a dot: a line of no length with round ends. */
export function line(name: string, points: readonly (readonly [number, number])[]): SvgNode {
  const written = points.map(([x, y]) => `${coordinate(x)} ${coordinate(y)}`)
  return node('path', {
    class: name,
    d: written.length === 0 ? 'M0 0' : `M${written.join('L')}${written.length === 1 ? 'h0' : ''}`,
  })
}

export function timeAxis(points: readonly Timed[], { left, right }: Frame): Axis {
  const [first, last] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 0]
  return axis({ from: first, to: Math.max(first + 1, last) }, { from: left, to: right })
}

type Range = { from: number; to: number }
export const axis =
  (values: Range, pixels: Range): Axis =>
  (value) =>
    pixels.from + ((value - values.from) / (values.to - values.from)) * (pixels.to - pixels.from)

/** At most five letters: `1.2`, `12.3K`, `-340`. */
export const shortNumber = (value: number): string =>
  value.toLocaleString('en-US', { notation: 'compact', maximumSignificantDigits: 3 })

export type Said = { name: string; verdict: string; sentence: string; isBad: boolean }

/** A drawing of this height, with what it says in words. */
export function drawing(
  { width, isAlone = false }: Pick<ChartOptions, 'width' | 'isAlone'>,
  { height, label, said }: { height: number; label: string; said: Said },
  parts: readonly SvgNode[],
): SvgNode {
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
      'aria-label': label,
    },
    ...(isAlone ? aloneParts(said, { width, height }) : []),
    ...parts,
  )
}

function aloneParts(
  { name, verdict, sentence, isBad }: Said,
  { width, height }: { width: number; height: number },
): SvgNode[] {
  return [
    node('title', {}, `${name}: ${verdict}`),
    node('desc', {}, sentence),
    node('style', {}, OWN_COLOURS),
    node('rect', { class: 'ground', x: 0, y: 0, width, height }),
    node('text', { class: 'ink strong', x: PADDING, y: LINE }, shortened(name, width - 2 * PADDING)),
    node('text', { class: isBad ? 'bad strong' : 'ink', x: PADDING, y: 2 * LINE }, verdict),
  ]
}

/** Where the first panel begins: below the name, where the drawing has one. */
export const topOf = ({ isAlone = false }: ChartOptions): { start: number; top: number } => ({
  start: isAlone ? PADDING : 0,
  top: (isAlone ? 2 * LINE + 10 : 0) + LINE + 4,
})

/** The same names have the colours of the page there. */
const OWN_COLOURS = `
.ground{fill:#fff}.ink{fill:#17181c}.quiet{fill:#4b4e58}.strong{font-weight:600}.bad{fill:#bd2222}
.grid{stroke:#e6e6ea}.threshold,.limit,.caution{stroke:#bd2222;stroke-dasharray:2 3;stroke-width:1.5;fill:none}
.caution{stroke:#855200}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.evidence-line{stroke:#17181c}.candidate-line{stroke:#2a5bd7}.stable-line{stroke:#7b7f8b;stroke-dasharray:6 4}
.crossing{fill:#bd2222;stroke:#fff;stroke-width:1.5}
@media (prefers-color-scheme:dark){
.ground{fill:#121418}.ink{fill:#ecedf1}.quiet{fill:#b0b3bd}.bad{fill:#ff8178}
.grid{stroke:#383c46}.threshold,.limit{stroke:#ff8178}.caution{stroke:#e3b357}
.evidence-line{stroke:#ecedf1}.candidate-line{stroke:#7aa2ff}.stable-line{stroke:#8f939f}
.crossing{fill:#ff8178;stroke:#121418}
}`
