/** Halvings, or doublings, of the range that is searched: far below what anybody prints. */
const ROUNDS = 50

/** The first of 1, 2, 4, ... for which it is so. */
export function firstOf(isSo: (value: number) => boolean): number {
  let value = 1
  for (let round = 0; round < ROUNDS && !isSo(value); round += 1) value *= 2
  return value
}

/** Where `holds` ends between a value for which it holds and one for which it does not. */
export function edge(holding: number, failing: number, holds: (value: number) => boolean): number {
  let inside = holding
  let outside = failing
  for (let round = 0; round < ROUNDS; round += 1) {
    const middle = (inside + outside) / 2
    if (holds(middle)) inside = middle
    else outside = middle
  }
  return inside
}
