import uPlot from 'uplot'
import { formatMeasure } from '../format/amount.ts'
import { formatClock, type Zone } from '../format/moment.ts'
import type { ChartLine } from './chart.tsx'

const HEIGHT = 132
/** All charts of a page point at the same moment. */
const CURSOR_GROUP = 'rollout'

type PlotInput = {
  element: HTMLElement
  at: number[]
  lines: ChartLine[]
  top: number | undefined
  zone: Zone
  onIndex(index: number | null): void
}

export function drawPlot({ element, at, lines, top, zone, onIndex }: PlotInput): uPlot {
  const ink = readInk(element)
  const axis = { stroke: ink.axis, font: ink.font, ticks: { show: false }, gap: 6 }
  return new uPlot(
    {
      width: Math.max(120, element.clientWidth),
      height: HEIGHT,
      padding: [8, 26, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: CURSOR_GROUP }, points: { size: 6 }, drag: { x: false, y: false } },
      hooks: { setCursor: [(plot) => onIndex(plot.cursor.idx ?? null)] },
      scales: { y: { range: (_plot, _low, high) => [0, top ?? (high > 0 ? high * 1.15 : 1)] } },
      series: [{}, ...lines.map((line) => seriesOf(line, ink))],
      axes: [
        {
          ...axis,
          grid: { show: false },
          space: 72,
          size: 26,
          values: (_plot, splits) => splits.map((at) => formatClock(at * 1000, zone)),
        },
        {
          ...axis,
          grid: { stroke: ink.grid, width: 1 },
          space: 26,
          size: 40,
          values: (_plot, splits) => splits.map(formatMeasure),
        },
      ],
    },
    [at.map((ms) => ms / 1000), ...lines.map((line) => line.values)],
    element,
  )
}

function seriesOf({ label, role }: ChartLine, ink: Ink): uPlot.Series {
  const base = { label, width: 1.75, points: { show: false } }
  if (role === 'stable') return { ...base, stroke: ink.stable, dash: [4, 4] }
  if (role === 'candidate') return { ...base, stroke: ink.candidate }
  const stair = uPlot.paths.stepped?.({ align: 1 })
  return { ...base, stroke: ink.candidate, fill: ink.fill, ...(stair === undefined ? {} : { paths: stair }) }
}

type Ink = { axis: string; grid: string; stable: string; candidate: string; fill: string; font: string }

/** A canvas knows no custom properties, so they are read once, when the plot is drawn. */
function readInk(element: HTMLElement): Ink {
  const style = getComputedStyle(element)
  const read = (name: string) => style.getPropertyValue(name).trim()
  return {
    axis: read('--ink-3'),
    grid: read('--line'),
    stable: read('--chart-stable'),
    candidate: read('--accent'),
    fill: read('--accent-soft'),
    font: `11px ${style.fontFamily}`,
  }
}
