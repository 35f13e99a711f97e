/** More points than this nobody sees. */
const MOST_POINTS = 240

/** What is drawn as one point, in order: one look each, or several where there are more than can be seen. */
export function stretches<T>(all: readonly T[], most = MOST_POINTS): (readonly T[])[] {
  const width = Math.min(most, all.length)
  return Array.from({ length: width }, (_, point) =>
    all.slice(Math.floor((point * all.length) / width), Math.floor(((point + 1) * all.length) / width)),
  )
}
