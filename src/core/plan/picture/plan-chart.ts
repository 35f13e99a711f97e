import {
  type Axis,
  axis,
  type ChartOptions,
  drawing,
  type Frame,
  GAP,
  grid,
  LETTER,
  LINE,
  line,
  RIGHT,
  shortened,
  topOf,
} from '../../analysis/evidence/chart-parts.ts'
import { coordinate, node, type SvgNode } from '../../analysis/evidence/svg.ts'
import { formatDuration } from '../../shared/duration.ts'
import { formatWeight, TOTAL_PERMILLE } from '../../shared/weight.ts'
import type { Plan } from '../plan.ts'
import { beginText, pictureOf, type Stretch, type WayBackLetter } from './stretches.ts'

const PANEL = { share: 100, instances: 60, back: 22 }
const LEFT = 40
const LABEL_GAP = 6
/** Above a line, so that the label does not touch it. */
const ABOVE = 5
/** Near the top there is room only below the line. */
const BELOW = 15
const HIGH_PERMILLE = 800

type Placed = Stretch & { left: number; right: number }

type PlanChartOptions = Pick<ChartOptions, 'width' | 'isAlone'>

/** Share of the new version, instances and ways back of a plan over its time; the ways back in words below. */
export function planChart(plan: Plan, { width, isAlone = false }: PlanChartOptions): SvgNode {
  const { start, top } = topOf({ isAlone, width, candidate: '', stable: null })
  const { stretches, waysBack } = pictureOf(plan)
  const frame = { start, left: start + LEFT, right: width - RIGHT, top, bottom: top + PANEL.share }
  const placed = placedIn(stretches, frame)
  const lower = below(frame, GAP + LINE, PANEL.instances)
  const strip = below(lower, GAP, PANEL.back)
  const legendTop = strip.bottom + 2 * LINE
  const legend = legendLines(waysBack, width - start - RIGHT)
  const label = describePlan(plan)
  const said = {
    name: titleOf(plan),
    verdict: shortened(factsOf(plan), width - 2 * start),
    sentence: label,
    isBad: false,
  }
  return drawing({ width, isAlone }, { height: legendTop + legend.length * LINE, label, said }, [
    ...(isAlone ? [node('style', {}, AREA_COLOURS)] : []),
    ...sharePanel(placed, frame),
    ...timeLabels(placed, frame),
    ...instancesPanel(placed, lower),
    ...backStrip(placed, strip),
    ...legend.map((text, index) =>
      node('text', { class: 'ink', x: start, y: legendTop + index * LINE }, text),
    ),
  ])
}

/** The drawing in words, for who cannot see it. */
export function describePlan(plan: Plan): string {
  const { stretches, waysBack } = pictureOf(plan)
  const course = stretches.map(
    (stretch) =>
      `${stretchName(stretch)} ${beginText(stretch)}: ${formatWeight(stretch.weightPermille)} of traffic, ${stretch.instances.stable} old and ${stretch.instances.candidate} new instances, way back ${stretch.back}`,
  )
  return `${factsOf(plan)}. ${course.join('; ')}. ${waysBack.map(({ letter, text }) => `${letter}: ${text}`).join(' ')}`
}

const stretchName = ({ from, to }: Stretch): string =>
  from === to ? `Step ${from}` : `Steps ${from} to ${to}`

const titleOf = ({ service, environment, from, to }: Plan): string =>
  `${service} in ${environment}: ${from === null ? '' : `${from.version} → `}${to.version}`

function factsOf({ strategy, expectedMs, peakInstances, peak }: Plan): string {
  const takes = expectedMs === null ? 'waits by hand' : formatDuration(expectedMs)
  const percent = peak?.percent === null || peak === undefined ? '' : ` (${peak.percent}%)`
  return `${strategy}, ${takes}, peak ${peakInstances} instances${percent}`
}

const below = (frame: Frame, gap: number, height: number): Frame => ({
  ...frame,
  top: frame.bottom + gap,
  bottom: frame.bottom + gap + height,
})

function placedIn(stretches: readonly Stretch[], { left, right }: Frame): Placed[] {
  const all = stretches.reduce((sum, { room }) => sum + room, 0)
  const x = axis({ from: 0, to: Math.max(1, all) }, { from: left, to: right })
  let sum = 0
  return stretches.map((stretch) => {
    const begins = sum
    sum += stretch.room
    return { ...stretch, left: x(begins), right: x(sum) }
  })
}

function sharePanel(placed: readonly Placed[], frame: Frame): SvgNode[] {
  const y = axis({ from: 0, to: TOTAL_PERMILLE }, { from: frame.bottom, to: frame.top })
  const points = placed.flatMap(({ left, right, weightPermille }): [number, number][] => [
    [left, y(weightPermille)],
    [right, y(weightPermille)],
  ])
  const labels = sameNeighbours(placed, ({ weightPermille }) => formatWeight(weightPermille)).filter(
    ({ weightPermille }) => weightPermille > 0 && weightPermille < TOTAL_PERMILLE,
  )
  return [
    node(
      'text',
      { class: 'ink', x: frame.start, y: frame.top - 10 },
      'Share of the new version; time not to scale',
    ),
    ...grid(frame, [
      { at: y(0), text: '0%' },
      { at: y(TOTAL_PERMILLE), text: '100%' },
    ]),
    line('line candidate-line', [[frame.left, y(0)], ...points]),
    ...withoutOverlap(
      labels.map(({ left, right, text, weightPermille }) => ({
        text,
        x: (left + right) / 2,
        room: right - left,
        y: y(weightPermille) + (weightPermille > HIGH_PERMILLE ? BELOW : -ABOVE),
      })),
    ),
  ]
}

function timeLabels(placed: readonly Placed[], { bottom }: Frame): SvgNode[] {
  const labels = placed.map((stretch) => ({
    text: beginText(stretch),
    x: stretch.left,
    right: Number.POSITIVE_INFINITY,
  }))
  return fromLeft(labels, placed.at(-1)?.right ?? 0).map(({ text, x }) =>
    node('text', { class: 'quiet', x: coordinate(x), y: bottom + LINE }, text),
  )
}

function instancesPanel(placed: readonly Placed[], frame: Frame): SvgNode[] {
  const most = Math.max(1, ...placed.map(({ instances }) => instances.stable + instances.candidate))
  const y = axis({ from: 0, to: most }, { from: frame.bottom, to: frame.top })
  return [
    node('text', { class: 'ink', x: frame.start, y: frame.top - 10 }, 'Instances, old + new'),
    ...sameNeighbours(placed, instancesText).flatMap((part) => instanceAreas(part, y)),
    ...grid(frame, [
      { at: y(0), text: '0' },
      { at: y(most), text: String(most) },
    ]),
    ...withoutOverlap(
      sameNeighbours(placed, instancesText).map(({ left, right, text }) => ({
        text,
        x: (left + right) / 2,
        room: right - left,
        y: frame.bottom - ABOVE,
      })),
    ),
  ]
}

const instancesText = ({ instances }: Placed): string => `${instances.stable} + ${instances.candidate}`

function instanceAreas({ left, right, instances: { stable, candidate } }: Part, y: Axis): SvgNode[] {
  const area = (name: string, from: number, to: number): SvgNode[] =>
    from === to
      ? []
      : [
          node('rect', {
            ...{ class: name, x: coordinate(left), y: coordinate(y(to)) },
            ...{ width: coordinate(right - left), height: coordinate(y(from) - y(to)) },
          }),
        ]
  return [...area('old-area', 0, stable), ...area('new-area', stable, stable + candidate)]
}

function backStrip(placed: readonly Placed[], frame: Frame): SvgNode[] {
  const parts = sameNeighbours(placed, ({ back }) => back)
  return [
    node('text', { class: 'ink', x: frame.start, y: frame.top - 8 }, 'Way back'),
    ...parts.map(({ left, right }, index) =>
      node('rect', {
        ...{ class: index % 2 === 0 ? 'old-area' : 'back-area', x: coordinate(left), y: frame.top },
        ...{ width: coordinate(Math.max(1, right - left)), height: PANEL.back },
      }),
    ),
    ...withoutOverlap(
      parts.map(({ left, right, text }) => ({
        text,
        x: (left + right) / 2,
        room: right - left,
        y: frame.top + 15,
      })),
    ),
  ]
}

type Part = Placed & { text: string }

/** Neighbours that say the same are one. */
function sameNeighbours(placed: readonly Placed[], textOf: (stretch: Placed) => string): Part[] {
  const parts: Part[] = []
  for (const stretch of placed) {
    const text = textOf(stretch)
    const last = parts.at(-1)
    if (last?.text === text) last.right = stretch.right
    else parts.push({ ...stretch, text })
  }
  return parts
}

/** A label in the middle of its room, where it fits into it. */
const withoutOverlap = (labels: readonly { text: string; x: number; room: number; y: number }[]): SvgNode[] =>
  labels
    .filter(({ text, room }) => text.length * LETTER + LABEL_GAP <= room)
    .map(({ text, x, y }) =>
      node('text', { class: 'ink', x: coordinate(x), y: coordinate(y), 'text-anchor': 'middle' }, text),
    )

/** Labels that begin at their place: one that the one before reaches into is left out. */
function fromLeft(
  labels: readonly { text: string; x: number }[],
  end: number,
): { text: string; x: number }[] {
  let free = Number.NEGATIVE_INFINITY
  return labels.filter(({ text, x }) => {
    const reaches = x + text.length * LETTER
    if (x < free || reaches > end) return false
    free = reaches + LABEL_GAP
    return true
  })
}

/** Each way back in words, in lines that fit. */
function legendLines(waysBack: readonly WayBackLetter[], room: number): string[] {
  const letters = Math.floor(room / LETTER)
  return waysBack.flatMap(({ letter, text }) => wrapped(`${letter}  ${text}`, letters))
}

function wrapped(text: string, letters: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= letters)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(lines.length === 0 ? word : `   ${word}`)
  }
  return lines
}

/** The page has the same names. */
const AREA_COLOURS = `
.old-area{fill:#d9dbe1}.new-area{fill:#bcd0fb}.back-area{fill:#eceef2}
@media (prefers-color-scheme:dark){.old-area{fill:#383c46}.new-area{fill:#2d4478}.back-area{fill:#262a32}}`
