/**
 * One mutant as it stands in its file: words in comment lines, then a unified diff of one source file. Lines are found by
 * their text and not by their number, indentation does not count, and context may have changed at the edges: a mutant
 * lives as long as the lines it breaks do.
 */
export type Patch = {
  /** What is broken, in words. */
  title: string
  /** Which store the simulation runs on. */
  store: 'memory' | 'sqlite'
  /** The source file, from the root of the project. */
  file: string
  hunks: Hunk[]
}

type Line = { mark: ' ' | '-' | '+'; text: string }
type Hunk = { at: number; lines: Line[] }

/** As many lines of context at each end of a hunk may be gone. */
const FUZZ = 2

export function parsePatch(text: string): Patch {
  const lines = text.split('\n')
  const words = lines.filter((line) => line.startsWith('#')).map((line) => line.slice(1).trim())
  const file = lines.find((line) => line.startsWith('+++ b/'))?.slice('+++ b/'.length)
  if (file === undefined) throw new Error('the patch names no file (+++ b/...)')
  const store = words.includes('store: sqlite') ? 'sqlite' : 'memory'
  const title = words.filter((word) => !word.startsWith('store: ')).join(' ')
  return { title, store, file, hunks: hunksIn(lines) }
}

function hunksIn(lines: readonly string[]): Hunk[] {
  const hunks: Hunk[] = []
  for (const line of lines) {
    const at = /^@@ -(\d+)/.exec(line)?.[1]
    if (at !== undefined) hunks.push({ at: Number(at) - 1, lines: [] })
    else hunks.at(-1)?.lines.push(...lineOf(line))
  }
  return hunks
}

function lineOf(line: string): Line[] {
  const [mark] = line
  return mark === ' ' || mark === '-' || mark === '+' ? [{ mark, text: line.slice(1) }] : []
}

/** The source with the mutation, or why the patch does not fit it. */
export function applyPatch(source: string, { hunks }: Patch): { source: string } | { why: string } {
  let lines = source.split('\n')
  for (const hunk of hunks) {
    const changed = applyHunk(lines, hunk)
    if (changed === null) return { why: `nothing like line ${hunk.at + 1} is left, or it is there twice` }
    lines = changed
  }
  return { source: lines.join('\n') }
}

function applyHunk(lines: readonly string[], hunk: Hunk): string[] | null {
  for (let fuzz = 0; fuzz <= FUZZ; fuzz += 1) {
    const less = trimmed(hunk, fuzz)
    const old = less.lines.filter(({ mark }) => mark !== '+').map(({ text }) => text.trim())
    const places = lines.flatMap((_, at) =>
      old.every((text, index) => lines[at + index]?.trim() === text) ? [at] : [],
    )
    const [place] = places
    if (place !== undefined && places.length === 1) return replaced(lines, less, place)
  }
  return null
}

/** Without the outermost lines of context; what is removed or added always stays. */
function trimmed({ at, lines }: Hunk, fuzz: number): Hunk {
  const lead = lines.findIndex(({ mark }) => mark !== ' ')
  const tail = lines.length - 1 - lines.findLastIndex(({ mark }) => mark !== ' ')
  const first = Math.min(fuzz, lead)
  return { at: at + first, lines: lines.slice(first, lines.length - Math.min(fuzz, tail)) }
}

function replaced(lines: readonly string[], { lines: changes }: Hunk, place: number): string[] {
  const after: string[] = []
  let next = place
  for (const { mark, text } of changes) {
    if (mark === '+') after.push(text)
    else {
      if (mark === ' ') after.push(lines[next] ?? '')
      next += 1
    }
  }
  return [...lines.slice(0, place), ...after, ...lines.slice(next)]
}
