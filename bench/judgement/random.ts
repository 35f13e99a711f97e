/** Uniform in [0, 1), the same sequence for the same seed on every machine. */
export type Uniform = () => number

/**
 * xoshiro128** of Blackman and Vigna: its period of 2^128 - 1 is far beyond what a bench draws, so that streams of
 * different seeds do not overlap. The state is filled by splitmix32.
 */
export function uniformFrom(seed: number): Uniform {
  let filler = seed >>> 0
  const fill = (): number => {
    filler = (filler + 0x9e3779b9) >>> 0
    let mixed = Math.imul(filler ^ (filler >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  let a = fill()
  let b = fill()
  let c = fill()
  let d = fill()
  const word = (): number => {
    const result = Math.imul(turned(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = turned(d, 11)
    return result
  }
  return () => word() / 2 ** 32
}

const turned = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))

/** A seed for each name, so that a cell gives the same figures whichever cells run beside it. FNV-1a. */
export function seedOf(name: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < name.length; index += 1)
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193) >>> 0
  return hash
}
