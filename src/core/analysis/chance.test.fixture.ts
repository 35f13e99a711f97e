/** A small seeded source of chance (mulberry32), so that every run sees the same rollouts. */
export function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Bad ones among n: jumps from one to the next, quick for small rates. */
export function draw(random: () => number, n: number, rate: number): number {
  if (rate === 0) return 0
  if (rate >= 1) return n
  const jump = (): number => Math.floor(Math.log(1 - random()) / Math.log(1 - rate))
  let bad = 0
  for (let at = jump(); at < n; bad += 1) at += 1 + jump()
  return bad
}

/** A factor that a rate wobbles by, of mean 1: a gamma with shape 1 / cv^2, for whole shapes. */
export function wobble(random: () => number, cv: number): number {
  const shape = Math.round(1 / cv ** 2)
  let sum = 0
  for (let part = 0; part < shape; part += 1) sum -= Math.log(1 - random())
  return sum / shape
}
