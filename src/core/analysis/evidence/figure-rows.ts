import { formatBytes } from '../../shared/bytes.ts'
import { percent } from '../criteria.ts'
import type { Figures } from './figures.ts'

type Show = (value: number) => string
/** How a row of the table is shown, and what is a change of it. */
type FigureRow = {
  metric: string
  of: keyof Figures
  /** What stands for a value that is not there. */
  missing?: 'no data'
  show: Show
  /** `none`: it says nothing beside another share of traffic. `per-request`: only for each request it does. */
  change: 'none' | 'points' | 'percent' | 'per-request'
  /** Of what the change is worked out where it is not of what is shown. */
  from?: keyof Figures
  /** Which requests it is for. */
  requests?: 'requestsPerSecond' | 'requestsPerSecondOfUse'
}

const ms: Show = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
const rate: Show = (value) => `${formatBytes(value)}/s`

const missing = 'no data'
/** The candidate has a share of the traffic: its requests, and all that goes with them, are no change of anything. */
export const FIGURE_ROWS: readonly FigureRow[] = [
  {
    metric: 'requests/s',
    of: 'requestsPerSecond',
    show: (value) => value.toFixed(1),
    change: 'none',
    missing,
  },
  { metric: 'error rate', of: 'errorPercent', show: percent, change: 'points', missing },
  { metric: 'success rate', of: 'successPercent', show: percent, change: 'points', missing },
  { metric: 'p50', of: 'p50Ms', show: ms, change: 'percent', missing },
  { metric: 'p95', of: 'p95Ms', show: ms, change: 'percent', missing },
  { metric: 'p99', of: 'p99Ms', show: ms, change: 'percent', missing },
  {
    metric: 'CPU',
    of: 'cpuPercent',
    show: percent,
    change: 'per-request',
    from: 'cpus',
    requests: 'requestsPerSecondOfUse',
  },
  { metric: 'CPU at most', of: 'highestCpuPercent', show: percent, change: 'none' },
  { metric: 'memory', of: 'memoryPercent', show: percent, change: 'points' },
  { metric: 'memory at most', of: 'highestMemoryPercent', show: percent, change: 'points' },
  {
    metric: 'disk read',
    of: 'diskReadBytesPerSecond',
    show: rate,
    change: 'per-request',
    requests: 'requestsPerSecondOfUse',
  },
  {
    metric: 'disk written',
    of: 'diskWrittenBytesPerSecond',
    show: rate,
    change: 'per-request',
    requests: 'requestsPerSecondOfUse',
  },
  { metric: 'host disk busy', of: 'diskBusyPercent', show: percent, change: 'points' },
  { metric: 'network in', of: 'bytesInPerSecond', show: rate, change: 'per-request' },
  { metric: 'network out', of: 'bytesOutPerSecond', show: rate, change: 'per-request' },
]

export function shownFigure({ of, show, missing }: FigureRow, figures: Figures): string {
  const value = figures[of]
  return value === null ? (missing ?? 'not known') : show(value)
}

/** `+12%`, `-0.3 points`, `+20% a request`, `none`; `-` where there is nothing to compare. */
export function changeOf(
  { of, change, from = of, requests = 'requestsPerSecond' }: FigureRow,
  before: Figures,
  now: Figures,
): string {
  const [was, is] = [before[from], now[from]]
  if (was === null || is === null || change === 'none') return '-'
  if (change === 'points') return inPoints(is - was)
  if (change === 'percent') return inPercent(was, is)
  const [few, many] = [before[requests], now[requests]]
  if (few === null || many === null || few === 0 || many === 0) return '-'
  const text = inPercent(was / few, is / many)
  return text === '-' || text === 'none' ? text : `${text} a request`
}

function inPoints(difference: number): string {
  const points = Number(difference.toFixed(2))
  return points === 0 ? 'none' : signed(points, `${points} ${Math.abs(points) === 1 ? 'point' : 'points'}`)
}

function inPercent(before: number, now: number): string {
  if (before === 0) return '-'
  const part = Math.round((100 * (now - before)) / before)
  return part === 0 ? 'none' : signed(part, `${part}%`)
}

const signed = (value: number, text: string): string => `${value > 0 ? '+' : ''}${text}`
