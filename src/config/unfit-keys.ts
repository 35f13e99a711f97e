/** Keys that somebody may well expect at a place, and that could not keep what they promise there. */
const UNFIT: readonly { place: string; key: string; remedy: string }[] = [
  {
    place: 'strategy.ab.goal',
    key: 'metric',
    remedy:
      'A metric counts events of a version in windows, and the result of a test needs each user once and by variant. Write goal: { request: "POST /orders" } with the request that says it, and keep the metric under analysis.metrics, where it guards the candidate.',
  },
]

/** Why this key is refused at this path, and what to write; `null` when nobody would expect it there. */
export const unfitKeyRemedy = (path: readonly PropertyKey[], key: string): string | null =>
  UNFIT.find((one) => one.key === key && path.map(String).join('.').endsWith(one.place))?.remedy ?? null
