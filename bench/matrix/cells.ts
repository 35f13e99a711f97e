/** One way to release, on one kind of target, behind one router. */
export type Cell = { strategy: string; target: Target; router: Router }

type Keys = Record<string, unknown>

/** How a strategy stands in the file, short, but with everything that the long ones do. */
export type Strategy = {
  name: string
  /** Below `strategy`; `freePort` is one that nobody has. */
  settings: Keys | ((freePort: number) => Keys)
  /** Beside the load, requests of testers go to the candidate whatever its share. */
  testers?: true
  /** There are no requests: jobs lie in a folder, and lost is a job that somebody took and nobody finished. */
  work?: 'jobs'
  /** It stops the old version first: what is turned away meanwhile stands in a column of its own and fails nothing. */
  hasOutage?: true
}

const END = { watch: '1s', hold: '1s' }
const RISE = [{ weight: '25%', pause: '2s' }, { weight: '50%', pause: '2s' }, { weight: '100%' }]

export const STRATEGIES: readonly Strategy[] = [
  { name: 'canary', settings: { canary: { steps: RISE, ...END } } },
  { name: 'sticky canary', settings: { canary: { steps: RISE, sticky: {}, ...END } } },
  {
    name: 'canary with testers and preview',
    testers: true,
    settings: (freePort) => ({
      canary: {
        steps: RISE,
        routes: [{ header: { name: 'x-tester', value: '1' } }],
        preview: `127.0.0.1:${freePort}`,
        ...END,
      },
    }),
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
  { name: 'shadow', settings: { shadow: { share: '35%', for: '3s', ...END } } },
  {
    name: 'A/B test',
    settings: {
      ab: {
        variants: [
          { name: 'green', share: '25%' },
          { name: 'blue', share: '25%' },
        ],
        for: '3s',
        goal: { request: 'POST /upload' },
        atEnd: 'promote',
        ...END,
      },
    },
  },
  { name: 'recreate', settings: { recreate: { watch: '1s' } }, hasOutage: true },
  { name: 'canary of workers', work: 'jobs', settings: { canary: { steps: RISE, watch: '1s' } } },
  { name: 'rolling of workers', work: 'jobs', settings: { rolling: { pause: '1s', watch: '1s' } } },
]

/** As `target` in the file names them. */
export const TARGETS = ['processes', 'docker'] as const
export type Target = (typeof TARGETS)[number]
const isTarget = (name: string): name is Target => TARGETS.some((target) => target === name)

/** As `router` in the file names them. */
export const ROUTERS = ['builtin', 'haproxy', 'nginx'] as const
export type Router = (typeof ROUTERS)[number]
const isRouter = (name: string): name is Router => ROUTERS.some((router) => router === name)

export type Filter = {
  strategies: readonly string[]
  targets: readonly string[]
  routers: readonly string[]
  quick: boolean
}

/** Those that the filter leaves; `quick` are so few of them that each strategy, router and target still has one. */
export function cellsOf({ strategies, targets, routers, quick }: Filter): Cell[] {
  const chosen = (all: readonly string[], wanted: readonly string[]): string[] =>
    all.filter((one) => wanted.length === 0 || wanted.includes(one))
  const named = STRATEGIES.filter(({ name }) => strategies.length === 0 || strategies.includes(name))
  const all = chosen(TARGETS, targets)
    .filter(isTarget)
    .flatMap((target) =>
      chosen(ROUTERS, routers)
        .filter(isRouter)
        .flatMap((router) =>
          named
            // No router has anything to do with workers: once is enough.
            .filter(({ work }) => work === undefined || router === 'builtin')
            .map(({ name }): Cell => ({ strategy: name, target, router })),
        ),
    )
  return quick ? covering(all) : all
}

const FACTS = ['strategy', 'target', 'router'] as const

/** The greedy cover: always the line that shows most of what none before it shows, the first of equals. */
function covering(all: readonly Cell[]): Cell[] {
  const chosen: Cell[] = []
  for (;;) {
    const isNew = (cell: Cell, fact: (typeof FACTS)[number]) =>
      !chosen.some((one) => one[fact] === cell[fact])
    const news = all.map((cell) => FACTS.filter((fact) => isNew(cell, fact)).length)
    const most = Math.max(0, ...news)
    const next = all[news.indexOf(most)]
    if (most === 0 || next === undefined) return chosen
    chosen.push(next)
  }
}
