/** Longer values match no pattern: they come from outside, and work on them must stay small. */
const LONGEST_VALUE = 1024

/**
 * Does the whole text fit the pattern? `*` stands for any characters, also none; everything else for itself. The pieces
 * between the stars are looked for from left to right, each once, so that no text can make it slow as with regular
 * expressions.
 *
 * @example fitsPattern('qa-*', 'qa-7') // true
 */
export function fitsPattern(pattern: string, text: string): boolean {
  if (text.length > LONGEST_VALUE) return false
  const pieces = pattern.split('*')
  const [first = '', last = ''] = [pieces[0], pieces.at(-1)]
  if (pieces.length === 1) return text === pattern
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false
  let at = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return at <= text.length - last.length
}
