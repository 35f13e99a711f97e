import { distance } from 'fastest-levenshtein'

/** Two swapped or three missing letters are a slip; more is another word. */
const MAX_DISTANCE = 3
/** Longer words are never compared: the cost grows with the product of the lengths. */
const MAX_LENGTH = 64

/**
 * The known word that somebody who wrote `word` most likely meant, or `null` when none is near.
 * A short word must be nearer than a long one, so that `ab` never suggests `xyz`.
 *
 * @example nearestOf('replcas', ['replicas', 'secrets']) // 'replicas'
 */
export function nearestOf(word: string, known: Iterable<string>): string | null {
  if (word.length > MAX_LENGTH) return null
  const wanted = word.toLowerCase()
  const limit = Math.min(MAX_DISTANCE, Math.floor(word.length / 2))
  let best: { word: string; away: number } | null = null
  for (const candidate of known) {
    const away = distance(wanted, candidate.toLowerCase())
    if (away <= limit && (best === null || away < best.away)) best = { word: candidate, away }
  }
  return best?.word ?? null
}

/** `"a", "b" and "c"`, for the list of what is known. */
export function listed(words: readonly string[]): string {
  const quoted = words.map((word) => `"${word}"`)
  const last = quoted.pop()
  if (last === undefined) return 'nothing'
  return quoted.length === 0 ? last : `${quoted.join(', ')} and ${last}`
}

/** The remedy for a word that is not known: the nearest one first, then all of them. */
export function didYouMean(word: string, known: readonly string[]): string {
  const nearest = nearestOf(word, known)
  const all = `Known here: ${listed([...known].sort())}.`
  return nearest === null ? all : `Did you mean "${nearest}"? ${all}`
}
