/** Numbers from 0 to 1 that look like chance and are the same for the same seed. */
export type Chance = () => number

/** Mulberry32: small, and good enough for counts of requests (Tommy Ettinger, public domain). */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** From this mean on the normal distribution is near enough. */
const LARGE = 30

/** How many of so many things happen that have this chance each. */
export function binomial(chance: Chance, count: number, share: number): number {
  if (count <= 0 || share <= 0) return 0
  if (share >= 1) return count
  if (share > 0.5) return count - binomial(chance, count, 1 - share)
  const mean = count * share
  if (mean > LARGE) return clamped(normal(chance, mean, Math.sqrt(mean * (1 - share))), count)
  return fewOf(chance, count, share)
}

/** By the distance to the next one that happens, so that rare things cost little. */
function fewOf(chance: Chance, count: number, share: number): number {
  const scale = Math.log1p(-share)
  let happened = 0
  for (let at = Math.floor(Math.log(1 - chance()) / scale); at < count; happened += 1)
    at += 1 + Math.floor(Math.log(1 - chance()) / scale)
  return happened
}

/** How often something happens that comes so often on average. */
export function poisson(chance: Chance, mean: number): number {
  if (mean <= 0) return 0
  if (mean > LARGE) return clamped(normal(chance, mean, Math.sqrt(mean)), Number.MAX_SAFE_INTEGER)
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = chance(); product > limit; product *= chance()) count += 1
  return count
}

/** Box-Muller. */
const normal = (chance: Chance, mean: number, deviation: number): number =>
  mean + deviation * Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance())

const clamped = (value: number, most: number): number => Math.min(most, Math.max(0, Math.round(value)))
