/**
 * Orders in which some ways take turns, so that each has each place equally often and, within an order, follows each other
 * equally often: what one leaves behind then weighs on all alike (E. J. Williams, 1949). As many as there are ways, or twice
 * as many.
 *
 * @example turnsOf(['a', 'b']) // [['a', 'b'], ['b', 'a']]
 */
export function turnsOf<T>(ways: readonly T[]): T[][] {
  const { length } = ways
  const zigzag = ways.map((_, at) => (at % 2 === 1 ? (at + 1) / 2 : (length - at / 2) % length))
  const orders = ways.map((_, shift) =>
    zigzag.flatMap((at) => {
      const way = ways[(at + shift) % length]
      return way === undefined ? [] : [way]
    }),
  )
  return length % 2 === 0 ? orders : [...orders, ...orders.map((order) => order.toReversed())]
}
