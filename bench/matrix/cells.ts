/** One way to release, on one kind of target, behind one router. */
export type Cell = { strategy: string; target: string; router: string }

/** How a strategy stands in the file, short, but with everything that the long ones do. */
export type Strategy = {
  name: string
  settings: Record<string, unknown>
  /** It stops the old version first, so requests are lost by its nature; they are shown and fail nothing. */
  hasDowntime?: true
}

const END = { watch: '1s', hold: '1s' }

export const STRATEGIES: readonly Strategy[] = [
  {
    name: 'canary',
    settings: {
      canary: {
        steps: [{ weight: '25%', pause: '2s' }, { weight: '50%', pause: '2s' }, { weight: '100%' }],
        ...END,
      },
    },
  },
  {
    name: 'sticky canary',
    settings: {
      canary: {
        steps: [{ weight: '25%', pause: '2s' }, { weight: '50%', pause: '2s' }, { weight: '100%' }],
        sticky: {},
        ...END,
      },
    },
  },
  { name: 'blue-green', settings: { blueGreen: { warm: '10m', ...END } } },
  {
    name: 'blue-green, then canary',
    settings: {
      blueGreen: {
        canary: { steps: [{ weight: '50%', pause: '2s' }, { weight: '100%' }] },
        warm: '10m',
        ...END,
      },
    },
  },
  { name: 'rolling', settings: { rolling: { pause: '1s', watch: '1s' } } },
]

export const TARGETS = ['processes'] as const
export const ROUTERS = ['built-in proxy'] as const

export type Filter = {
  strategies: readonly string[]
  targets: readonly string[]
  routers: readonly string[]
  quick: boolean
}

/** Those that the filter leaves; `quick` has each strategy, router and target once and not each with each. */
export function cellsOf({ strategies, targets, routers, quick }: Filter): Cell[] {
  const chosen = <T extends string>(all: readonly T[], wanted: readonly string[]): T[] =>
    all.filter((one) => wanted.length === 0 || wanted.includes(one))
  const names = chosen(
    STRATEGIES.map(({ name }) => name),
    strategies,
  )
  const all = chosen(ROUTERS, routers).flatMap((router) =>
    chosen(TARGETS, targets).flatMap((target) => names.map((strategy) => ({ strategy, target, router }))),
  )
  return quick ? all.filter(isFirstOfSomething) : all
}

function isFirstOfSomething(cell: Cell, index: number, all: readonly Cell[]): boolean {
  const before = all.slice(0, index)
  return (['strategy', 'target', 'router'] as const).some(
    (key) => !before.some((one) => one[key] === cell[key]),
  )
}
