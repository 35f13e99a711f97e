import type { ServiceView, TimelineEntry } from '../../core/rollout/view/view.ts'
import { type Line, type Look, quiet, span } from '../text/line.ts'
import { clockTime } from '../text/time.ts'

/** Newest last. */
const EVENTS_SHOWN = 5

export const eventLines = ({ timeline }: ServiceView): Line[] => timeline.slice(-EVENTS_SHOWN).map(eventLine)

const eventLine = ({ at, text, level }: TimelineEntry): Line => [
  quiet(`  ${clockTime(at)}  `),
  span(text, LOOK[level]),
]

const LOOK: Record<TimelineEntry['level'], Look> = {
  info: 'plain',
  good: 'good',
  warning: 'attention',
  bad: 'bad',
}
