/** A piece of a drawing, for whoever writes or renders it: attributes are those of SVG. */
export type SvgNode = {
  tag: string
  attributes: Readonly<Record<string, string | number>>
  children: readonly (SvgNode | string)[]
}

export const node = (
  tag: string,
  attributes: SvgNode['attributes'] = {},
  ...children: (SvgNode | string)[]
): SvgNode => ({ tag, attributes, children })

/** The drawing as text. Whatever comes from outside, such as a version, stays text. */
export function svgText({ tag, attributes, children }: SvgNode): string {
  const written = Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('')
  const inside = children
    .map((child) => (typeof child === 'string' ? escaped(child) : svgText(child)))
    .join('')
  return inside === '' ? `<${tag}${written}/>` : `<${tag}${written}>${inside}</${tag}>`
}

const escaped = (text: string): string =>
  text
    .replace(FORBIDDEN, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML knows no control characters, not even escaped ones.
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

/** One decimal is a tenth of a pixel. */
export const coordinate = (value: number): number => Math.round(value * 10) / 10
