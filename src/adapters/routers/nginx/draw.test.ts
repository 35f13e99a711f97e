import { describe, expect, it } from 'vitest'

/** MurmurHash2 with seed 0, by which `split_clients` places a key (nginx, `src/core/ngx_murmurhash.c`). */
function placeOf(key: string): number {
  const bytes = Buffer.from(key)
  const mixed = (word: number): number => {
    const once = Math.imul(word, FACTOR)
    return Math.imul(once ^ (once >>> 24), FACTOR)
  }
  const whole = bytes.length - (bytes.length % 4)
  let hash = bytes.length
  for (let at = 0; at < whole; at += 4) hash = Math.imul(hash, FACTOR) ^ mixed(bytes.readUInt32LE(at))
  const rest = bytes.subarray(whole)
  if (rest.length > 0) {
    for (const [at, byte] of rest.entries()) hash ^= byte << (8 * at)
    hash = Math.imul(hash, FACTOR)
  }
  hash = Math.imul(hash ^ (hash >>> 13), FACTOR)
  return (hash ^ (hash >>> 15)) >>> 0
}

const FACTOR = 0x5bd1e995
const WHOLE = 2 ** 32
const REQUESTS = 10_000

describe('the share of requests by connection and number', () => {
  it.each<[string, (request: number) => string]>([
    ['one kept connection', (request) => `17-${request + 1}`],
    ['a connection for each', (request) => `${request + 1}-1`],
    ['32 kept connections', (request) => `${1000 + (request % 32)}-${1 + Math.floor(request / 32)}`],
    [
      'every second connection, three requests on each',
      (request) => `${5 + 2 * Math.floor(request / 3)}-${1 + (request % 3)}`,
    ],
  ])('is as even as a draw: %s', (_, keyOf) => {
    for (const share of [0.01, 0.05, 0.25, 0.5]) {
      const places = Array.from({ length: REQUESTS }, (_, request) => placeOf(keyOf(request)))
      const count = places.filter((place) => place < share * WHOLE).length
      const deviation = Math.sqrt(REQUESTS * share * (1 - share))
      expect(Math.abs(count - REQUESTS * share)).toBeLessThan(4 * deviation)
    }
  })
})
