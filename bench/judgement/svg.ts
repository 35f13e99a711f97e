/** Text and lines follow the reader's colour scheme; the colours of the methods are readable on both. */
const STYLE = `text{font:12px system-ui,sans-serif;fill:#1f2328}.faint{fill:#656d76}.axis{stroke:#8c959f;stroke-width:1}.grid{stroke:#d0d7de;stroke-width:1}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.faint{fill:#9198a1}.axis{stroke:#7d8590}.grid{stroke:#3d444d}}`

export const COLORS = {
  table: '#1f77d0',
  product: '#0a9d83',
  kayenta: '#d9822b',
  threshold: '#d1495b',
  naive: '#8250df',
} as const

type SvgOptions = { width: number; height: number; title: string }

export const svgText = ({ width, height, title }: SvgOptions, parts: readonly string[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')

type Anchor = 'start' | 'middle' | 'end'
type LabelOptions = { anchor?: Anchor; faint?: boolean }

export const label = (
  x: number,
  y: number,
  text: string,
  { anchor = 'start', faint = false }: LabelOptions = {},
): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${faint ? ' class="faint"' : ''}>${escaped(text)}</text>`

type Line = { x1: number; y1: number; x2: number; y2: number }

export const line = ({ x1, y1, x2, y2 }: Line, kind: 'axis' | 'grid'): string =>
  `<line class="${kind}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`

export const path = (points: readonly { x: number; y: number }[], color: string): string =>
  `<polyline fill="none" stroke="${color}" stroke-width="1.5" points="${points.map(({ x, y }) => `${round(x)},${round(y)}`).join(' ')}"/>`

export const bar = (
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
  color: string,
): string =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${color}"/>`

/** Shapes differ as well as colours. */
export type Shape = 'dot' | 'ring' | 'square' | 'box' | 'triangle' | 'cross'

export function mark(shape: Shape, x: number, y: number, color: string): string {
  const [cx, cy] = [round(x), round(y)]
  switch (shape) {
    case 'dot':
      return `<circle cx="${cx}" cy="${cy}" r="5" fill="${color}"/>`
    case 'ring':
      return `<circle cx="${cx}" cy="${cy}" r="4.5" fill="none" stroke="${color}" stroke-width="2"/>`
    case 'square':
      return `<rect x="${round(x - 4.5)}" y="${round(y - 4.5)}" width="9" height="9" fill="${color}"/>`
    case 'box':
      return `<rect x="${round(x - 4)}" y="${round(y - 4)}" width="8" height="8" fill="none" stroke="${color}" stroke-width="2"/>`
    case 'triangle':
      return `<path d="M${cx} ${round(y - 5.5)}l5.5 10h-11z" fill="${color}"/>`
    case 'cross':
      return `<path d="M${round(x - 4)} ${round(y - 4)}l8 8m0 -8l-8 8" fill="none" stroke="${color}" stroke-width="2"/>`
  }
}

/** Position of a value on a logarithmic axis. */
export const logScale =
  ([from, to]: readonly [number, number], [left, right]: readonly [number, number]) =>
  (value: number): number =>
    left + ((Math.log(value) - Math.log(from)) / (Math.log(to) - Math.log(from))) * (right - left)

const round = (value: number): number => Math.round(value * 10) / 10

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
