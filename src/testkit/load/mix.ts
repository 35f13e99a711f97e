/** One kind of request a client sends; `share` is relative to the sum of all shares. */
export type MixEntry = { method: string; path: string; body?: string; share: number }

/** What customers of `examples/shop` do: half of the requests are checkouts. */
export const SHOP_MIX: readonly MixEntry[] = [
  { method: 'GET', path: '/', share: 25 },
  { method: 'GET', path: '/products', share: 15 },
  { method: 'GET', path: '/products/mug', share: 10 },
  { method: 'POST', path: '/checkout', body: JSON.stringify({ product: 'mug', quantity: 2 }), share: 50 },
]

/** What clients of `examples/python-api` do. */
export const QUOTES_MIX: readonly MixEntry[] = [
  { method: 'GET', path: '/quote', share: 90 },
  { method: 'GET', path: '/authors', share: 10 },
]

/**
 * Picks an entry by its share. `random` is in [0, 1): a random order and not a fixed rotation, because a rotation can
 * fall into step with a data plane's split and then one version sees only one kind of request.
 */
export function pickEntry(mix: readonly MixEntry[], random: number): MixEntry {
  const total = mix.reduce((sum, entry) => sum + entry.share, 0)
  let rest = random * total
  for (const entry of mix) {
    rest -= entry.share
    if (rest < 0) return entry
  }
  const last = mix.at(-1)
  if (last === undefined) throw new RangeError('A mix needs at least one entry')
  return last
}
