import { beginText, type PlanPicture, pictureOf, type Stretch } from '../../core/plan/picture/stretches.ts'
import type { Plan } from '../../core/plan/plan.ts'
import { formatWeight } from '../../core/shared/weight.ts'
import { LABEL_COLUMNS } from '../frame/label.ts'
import { type Line, quiet, span } from '../text/line.ts'

const WIDEST = 72
const NARROWEST = 24
/** Room at the end for a label that begins there. */
const MARGIN = 2

type Drawn = Stretch & { start: number; end: number }

/** The share of the new version over time, with instances and ways back below; not to scale. Nothing where there is no room. */
export function chartLines(plan: Pick<Plan, 'steps'>, columns: number): Line[] {
  const picture = pictureOf(plan)
  const width = Math.min(WIDEST, columns - LABEL_COLUMNS - MARGIN)
  if (picture.stretches.length === 0 || width < NARROWEST) return []
  const drawn = placed(picture.stretches, width)
  return [
    ...curveLines(drawn, width),
    row('', labels(drawn, width, beginText)),
    row(
      'old + new',
      labels(drawn, width, ({ instances }) => `${instances.stable}+${instances.candidate}`),
    ),
    row(
      'way back',
      labels(sameBack(drawn), width, ({ back }) => back),
    ),
    ...letterLines(picture),
  ]
}

/** Each stretch gets its columns, at least two. */
function placed(stretches: readonly Stretch[], width: number): Drawn[] {
  const all = stretches.reduce((sum, { room }) => sum + room, 0)
  let sum = 0
  return stretches.map((stretch) => {
    const start = Math.round((sum / all) * width)
    sum += stretch.room
    return { ...stretch, start, end: Math.max(start + 1, Math.round((sum / all) * width)) }
  })
}

/** One row for each share that occurs, the largest first. */
function curveLines(drawn: readonly Drawn[], width: number): Line[] {
  const shares = [...new Set([0, ...drawn.map(({ weightPermille }) => weightPermille)])].sort((a, b) => b - a)
  return shares.map((share) => {
    const cells = Array.from({ length: width }, (_, column) => cellAt(drawn, column, share))
    return row(formatWeight(share), cells.join(''), share === 0 ? '┼' : '┤')
  })
}

function cellAt(drawn: readonly Drawn[], column: number, share: number): string {
  const index = drawn.findIndex(({ start, end }) => column >= start && column < end)
  const here = drawn[index]
  if (here === undefined) return ' '
  const before = index === 0 ? 0 : (drawn[index - 1]?.weightPermille ?? 0)
  const now = here.weightPermille
  if (column !== here.start || before === now) return now === share ? '─' : ' '
  const isRising = now > before
  if (share === now) return isRising ? '╭' : '╰'
  if (share === before) return isRising ? '╯' : '╮'
  return share > Math.min(before, now) && share < Math.max(before, now) ? '│' : ' '
}

/** Each at the begin of its stretch, left out where the one before reaches into it. */
function labels(drawn: readonly Drawn[], width: number, textOf: (stretch: Drawn) => string): string {
  let line = ''
  for (const stretch of drawn) {
    const text = textOf(stretch)
    const isFree = line === '' || line.length < stretch.start
    if (isFree && stretch.start + text.length <= width + MARGIN) line = line.padEnd(stretch.start) + text
  }
  return line
}

/** Stretches with the same way back are one. */
const sameBack = (drawn: readonly Drawn[]): Drawn[] =>
  drawn.filter(({ back }, index) => index === 0 || back !== drawn[index - 1]?.back)

const letterLines = ({ waysBack }: PlanPicture): Line[] =>
  waysBack.length < 2
    ? []
    : [[quiet(`${' '.repeat(LABEL_COLUMNS)}The letters stand at the ways back below. Not to scale.`)]]

const row = (name: string, text: string, mark = ' '): Line => [
  quiet(`${name.padStart(LABEL_COLUMNS - 2)} ${mark}`),
  span(text),
]
