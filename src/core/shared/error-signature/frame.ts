/** A frame of somebody else's code tells less about the program than one of its own. */
const FOREIGN =
  /node_modules|^node:|^internal\/|site-packages|dist-packages|\/lib\/python|^<|^(?:java|javax|jdk|sun|jakarta|kotlin|System|Microsoft)[./]|^(?:runtime|net\/http|sync|panic|testing)\b/

type Pattern = { line: RegExp; name: number; file: number | null }
const PATTERNS: readonly Pattern[] = [
  { line: /^\s+at (?:async )?(?:(.{1,200}?) \()?([^()\s]{1,400}?):\d+:\d+\)?$/, name: 1, file: 2 },
  {
    line: /^\s+at (?:[\w.@-]+\/)*([\w.$<>]{1,200})\(([\w.$ ]{1,100})(?::\d+)?\)/,
    name: 1,
    file: 2,
  },
  { line: /^\s+File "(.{1,400}?)", line \d+, in (.{1,200})$/, name: 2, file: 1 },
  { line: /^\s+at ([\w.<>`]{1,200})\(/, name: 1, file: null },
  { line: /^([\w./*()-]{1,200})\([^)]*\)$/, name: 1, file: null },
]
/** Shorter names were made by a bundler and differ from build to build. */
const SHORTEST_NAME = 3

/**
 * Where in its own code a program was, from one line of a stack trace, or `null`. Without numbers of lines: they move
 * with every release.
 *
 * @example frameOf('    at loadOrder (/srv/app/orders.js:12:9)') // 'loadOrder (orders.js)'
 */
export function frameOf(line: string): string | null {
  for (const { line: pattern, name, file } of PATTERNS) {
    const found = pattern.exec(line)
    if (found === null) continue
    const place = file === null ? '' : (found[file] ?? '')
    const words = found[name] ?? ''
    return FOREIGN.test(place) || FOREIGN.test(words) ? null : shown(words, place)
  }
  return null
}

function shown(name: string, place: string): string | null {
  const words = name.length < SHORTEST_NAME ? '' : name
  const file = place.split(/[\\/]/).at(-1) ?? ''
  if (words === '') return file === '' ? null : file
  return file === '' ? words : `${words} (${file})`
}
