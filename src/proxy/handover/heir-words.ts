const TAKES_OVER = '--takes-over'
const WORKERS = '--workers'
/** As without the word, which programs of older versions do not know. */
const SOLE = '1'

/**
 * The words that the process that takes over is started with: the program, and those of this process. What the program says
 * about the number of processes counts.
 *
 * @example `heirWords(['node', 'main.js', '--workers', '2'], ['--folder', '/srv'])`
 */
export function heirWords(program: readonly string[], argv: readonly string[]): string[] {
  const workers = workersIn(program) ?? workersIn(argv) ?? SOLE
  const words = [...withoutWorkers(program), ...withoutWorkers(argv).filter((word) => word !== TAKES_OVER)]
  return [...words, ...(workers === SOLE ? [] : [WORKERS, workers]), TAKES_OVER]
}

const workersIn = (words: readonly string[]): string | null => {
  const at = words.indexOf(WORKERS)
  return at < 0 ? null : (words[at + 1] ?? null)
}

function withoutWorkers(words: readonly string[]): string[] {
  const at = words.indexOf(WORKERS)
  return at < 0 ? [...words] : [...words.slice(0, at), ...words.slice(at + 2)]
}
