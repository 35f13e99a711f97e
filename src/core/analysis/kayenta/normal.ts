const SERIES_UP_TO = 3
const TERMS = 60

/** P(Z > z) of the standard normal: series in the middle, continued fraction outside (Abramowitz and Stegun 26.2). */
export function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z)
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
  if (z < SERIES_UP_TO) {
    let term = z
    let sum = z
    for (let odd = 3; odd < 2 * TERMS; odd += 2) {
      term *= (z * z) / odd
      sum += term
    }
    return 0.5 - density * sum
  }
  let fraction = z
  for (let step = TERMS; step >= 1; step -= 1) fraction = z + step / fraction
  return density / fraction
}
