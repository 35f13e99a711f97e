import { useEffect, useRef, useState } from 'react'
import type uPlot from 'uplot'
import { formatMeasure, UNKNOWN } from '../format/amount.ts'
import { formatClock } from '../format/moment.ts'
import { useZone } from '../parts/zone.tsx'
import { drawPlot } from './plot.ts'
import { useScheme } from './scheme.ts'

export type ChartLine = {
  label: string
  /** The candidate is solid, stable dashed, the weight a filled stair: no line is told by its colour alone. */
  role: 'candidate' | 'stable' | 'weight'
  values: (number | null)[]
}

type ChartProps = { title: string; unit: string; at: number[]; lines: ChartLine[]; top?: number }

/** One small chart. The numbers beside the title are those under the cursor, else the latest. */
export function Chart({ title, unit, at, lines, top }: ChartProps) {
  const [index, setIndex] = useState<number | null>(null)
  const place = usePlot({ at, lines, top, onIndex: setIndex })
  const zone = useZone()
  const shown = index !== null && index < at.length ? index : at.length - 1
  const values = lines.map((line) => ({
    line,
    text: withUnit(line.values[shown], unit),
  }))
  const spoken = values.map(({ line, text }) => `${line.label} ${text}`).join(', ')
  const atShown = at[shown]
  return (
    <figure className="chart">
      <figcaption>
        <span className="chart-title">{title}</span>
        <span className="chart-time dim numbers">
          {index === null || atShown === undefined ? '' : formatClock(atShown, zone)}
        </span>
        {values.map(({ line, text }) => (
          <span key={line.role} className={`chart-value is-${line.role}`}>
            <span className="visually-hidden">{line.label} </span>
            {text}
          </span>
        ))}
      </figcaption>
      <div
        ref={place}
        className="chart-plot"
        role="img"
        aria-label={`${title} over time. Latest: ${spoken}.`}
      />
    </figure>
  )
}

function withUnit(value: number | null | undefined, unit: string): string {
  const measure = formatMeasure(value)
  if (measure === UNKNOWN) return UNKNOWN
  return unit === '%' ? `${measure}%` : `${measure} ${unit}`
}

type PlotProps = {
  at: number[]
  lines: ChartLine[]
  top: number | undefined
  onIndex(index: number | null): void
}

function usePlot({ at, lines, top, onIndex }: PlotProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const scheme = useScheme()
  const zone = useZone()
  const shape = lines.map((line) => line.role).join()
  const latest = useRef({ at, lines })
  latest.current = { at, lines }

  // biome-ignore lint/correctness/useExhaustiveDependencies: new points go into the same plot; only a new look draws a new one.
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const drawn = drawPlot({
      element,
      lines: latest.current.lines,
      at: latest.current.at,
      top,
      zone,
      onIndex,
    })
    plot.current = drawn
    const watcher = new ResizeObserver(() =>
      drawn.setSize({ width: element.clientWidth, height: drawn.height }),
    )
    watcher.observe(element)
    return () => {
      watcher.disconnect()
      drawn.destroy()
      plot.current = null
    }
  }, [shape, scheme, zone, top, onIndex])

  useEffect(() => {
    plot.current?.setData([at.map((ms) => ms / 1000), ...lines.map((line) => line.values)])
  }, [at, lines])

  return place
}
