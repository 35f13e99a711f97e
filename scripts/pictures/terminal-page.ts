/** The sixteen colours of a terminal, on a dark ground. */
const COLOURS = [
  '#1c2128',
  '#f47067',
  '#57ab5a',
  '#c69026',
  '#539bf5',
  '#b083f0',
  '#39c5cf',
  '#adbac7',
  '#768390',
  '#ff938a',
  '#6bc46d',
  '#daaa3f',
  '#6cb6ff',
  '#dcbdfb',
  '#56d4dd',
  '#cdd9e5',
] as const
const GROUND = '#1c2128'
const TEXT = '#adbac7'
// biome-ignore lint/suspicious/noControlCharactersInRegex: ESC is what begins a change of look in a terminal.
const SGR = /\u001b\[([\d;:]*)m/

type Look = { bold: boolean; dim: boolean; inverse: boolean; front: string | null; back: string | null }
const PLAIN: Look = { bold: false, dim: false, inverse: false, front: null, back: null }

/** Turns what `tmux capture-pane -p -e` prints into a page that looks like the terminal. */
export function terminalPage(captured: string): string {
  return `<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: ${GROUND} }
pre { display: inline-block; margin: 0; padding: 20px 24px; color: ${TEXT}; font: 15px/1.3 'DejaVu Sans Mono', monospace }
</style><pre>${spans(captured)}</pre>`
}

function spans(text: string): string {
  let look = PLAIN
  return text
    .split(SGR)
    .map((part, index) => {
      if (index % 2 === 0) return part === '' ? '' : `<span style="${styleOf(look)}">${escaped(part)}</span>`
      look = changed(look, part.split(/[;:]/).map(Number))
      return ''
    })
    .join('')
}

function changed(look: Look, [code = 0, ...rest]: readonly number[]): Look {
  const colour = colourOf(code, rest)
  const next = colour === null ? withFlag(look, code) : { ...look, [colour.side]: colour.value }
  const used = colour?.used ?? 0
  return rest.length > used ? changed(next, rest.slice(used)) : next
}

function withFlag(look: Look, code: number): Look {
  switch (code) {
    case 0:
      return PLAIN
    case 1:
      return { ...look, bold: true }
    case 2:
      return { ...look, dim: true }
    case 7:
      return { ...look, inverse: true }
    case 22:
      return { ...look, bold: false, dim: false }
    case 27:
      return { ...look, inverse: false }
    default:
      return look
  }
}

type Colour = { side: 'front' | 'back'; value: string | null; used: number }

function colourOf(code: number, rest: readonly number[]): Colour | null {
  const side = (code >= 40 && code <= 49) || (code >= 100 && code <= 107) ? 'back' : 'front'
  if (code === 39 || code === 49) return { side, value: null, used: 0 }
  if (code === 38 || code === 48) return extended(side, rest)
  const index = code >= 90 ? (code % 10) + 8 : code % 10
  const isColour = (code >= 30 && code <= 47) || (code >= 90 && code <= 107)
  return isColour ? { side, value: COLOURS[index] ?? null, used: 0 } : null
}

/** `5;n` of 256 colours (a cube of six steps, then greys), or `2;r;g;b`. */
function extended(side: Colour['side'], [mode, n = 0, g = 0, b = 0]: readonly number[]): Colour {
  if (mode === 2) return { side, value: `rgb(${n} ${g} ${b})`, used: 4 }
  if (n < 16) return { side, value: COLOURS[n] ?? null, used: 2 }
  const grey = 8 + (n - 232) * 10
  const step = (value: number): number => (value === 0 ? 0 : 55 + value * 40)
  const cube = n - 16
  const parts =
    n >= 232
      ? [grey, grey, grey]
      : [step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6)]
  return { side, value: `rgb(${parts.join(' ')})`, used: 2 }
}

function styleOf({ bold, dim, inverse, front, back }: Look): string {
  const [text, ground] = inverse ? [back ?? GROUND, front ?? TEXT] : [front ?? TEXT, back ?? 'transparent']
  return `color:${text};background:${ground};font-weight:${bold ? 700 : 400};opacity:${dim ? 0.65 : 1}`
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
