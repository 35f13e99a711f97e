import { createElement, type ReactNode, useEffect, useRef, useState } from 'react'
import type { SvgNode } from '../../../src/core/analysis/evidence/svg.ts'

/** A smaller drawing cannot be read; the page scrolls before that. */
const NARROWEST = 240

/** A drawing of the core, made anew for the width there is, so that its text keeps its size. */
export function Drawing({ draw }: { draw(width: number): SvgNode }) {
  const place = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState<number | null>(null)
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const observer = new ResizeObserver(() => setWidth(Math.max(NARROWEST, Math.floor(element.clientWidth))))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return (
    <div ref={place} className="drawing">
      {width === null ? null : elementOf(draw(width), 0)}
    </div>
  )
}

function elementOf({ tag, attributes, children }: SvgNode, key: number): ReactNode {
  const named = Object.entries(attributes).map(([name, value]) => [propertyOf(name), value])
  const inside = children.map((child, index) => (typeof child === 'string' ? child : elementOf(child, index)))
  return createElement(tag, { key, ...Object.fromEntries(named) }, ...inside)
}

/** React writes `textAnchor` and `className`; ARIA keeps its names. */
function propertyOf(name: string): string {
  if (name === 'class') return 'className'
  return name.startsWith('aria-')
    ? name
    : name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
