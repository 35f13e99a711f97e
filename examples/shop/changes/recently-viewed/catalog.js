import { setTimeout as delay } from 'node:timers/promises'

const PRODUCTS = [
  { id: 'mug', name: 'Enamel mug', cents: 1400 },
  { id: 'lamp', name: 'Desk lamp', cents: 5900 },
  { id: 'chair', name: 'Folding chair', cents: 8900 },
]
const ALL = '*'

/** A search through many entries stops for a moment after each batch, so that it does not block other requests. */
const BATCH = 10
const BATCH_PAUSE_MS = 10

const recentlyViewed = []

export async function allProducts() {
  return (await remembered(ALL)) ?? PRODUCTS
}

export async function findProduct(id) {
  return (await remembered(id)) ?? PRODUCTS.find((product) => product.id === id)
}

/**
 * The bug: the key holds the time of the visit, so no entry is ever found again, none is ever removed, and every
 * request searches the visits of all requests before it.
 */
async function remembered(id) {
  const key = `${id}@${performance.now()}`
  for (const [index, entry] of recentlyViewed.entries()) {
    if (entry.key === key) return entry.product
    if (index % BATCH === BATCH - 1) await delay(BATCH_PAUSE_MS)
  }
  recentlyViewed.push({ key, product: PRODUCTS.find((product) => product.id === id) })
  return undefined
}
