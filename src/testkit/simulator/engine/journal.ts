import type { Event } from '../../../core/rollout/event.ts'
import { evolve } from '../../../core/rollout/evolve.ts'
import { newServiceState } from '../../../core/rollout/state.ts'
import type { AppendRequest, Lease } from '../../../ports/store.ts'
import { brokenInvariant } from '../invariants.ts'
import type { Book, Truth } from './book.ts'
import { routesKey } from './book.ts'
import { CHECK_RULES } from './check-rules.ts'
import { EJECTION_RULES } from './ejection-rules.ts'
import { HISTORY_RULES } from './history-rules.ts'
import type { JournalRule } from './journal-rules.ts'
import { JOURNAL_RULES } from './journal-rules.ts'
import type { Life } from './life.ts'
import { SHADOW_RULES } from './shadow-rules.ts'
import { SIGNAL_RULES } from './signal-rules.ts'
import { STRATEGY_RULES } from './strategy-rules.ts'
import type { Trace } from './trace.ts'
import { brief } from './trace.ts'

export type Journal = {
  book(stream: string): Book
  books(): Book[]
  granted(life: Life, lease: Lease, until: number): void
  renewed(life: Life, leases: readonly Lease[], until: number): void
  appended(life: Life, request: AppendRequest, revision: number): void
  /** Epochs that the life was ever given for the stream. */
  epochsOf(life: Life, stream: string): ReadonlySet<number>
  leaseUntil(life: Life, stream: string): number
}

/** What only the holder of the lease can know, or has to say. */
const OF_THE_OWNER: readonly string[] = [
  'controller-started',
  'part-seen',
  'instances-observed',
  'routes-shown',
  'routes-confirmed',
  'routes-drifted',
  'metrics-observed',
  'busy-observed',
  'former-router-seen',
  'set-asserted',
  'let-go-accepted',
] satisfies Event['kind'][]

export type JournalParts = {
  now: () => number
  trace: Trace
  truth: Truth
  /** Ends the run: something that must never happen did. */
  violate(what: string): void
}

export function createJournal({ now, trace, truth, violate }: JournalParts): Journal {
  const books = new Map<string, Book>()
  const epochs = new Map<string, Set<number>>()
  const untils = new Map<string, number>()

  function book(stream: string): Book {
    const found = books.get(stream) ?? newBook(stream, truth)
    books.set(stream, found)
    return found
  }
  const keyOf = (life: Life, stream: string): string => `${life.name} ${stream}`

  function granted(life: Life, { stream, epoch }: Lease, until: number): void {
    const mine = book(stream)
    if (epoch <= mine.epoch) violate(`INV10: epoch ${epoch} of ${stream} was given away twice`)
    mine.epoch = Math.max(mine.epoch, epoch)
    const given = epochs.get(keyOf(life, stream)) ?? new Set<number>()
    epochs.set(keyOf(life, stream), given.add(epoch))
    untils.set(keyOf(life, stream), until)
  }

  function appended(life: Life, { stream, epoch, events }: AppendRequest, revision: number): void {
    const mine = book(stream)
    if (revision !== mine.revision + events.length)
      violate(
        `a committed event was lost: revision ${mine.revision} and ${events.length} events make ${revision}`,
      )
    if (epoch !== null && epoch !== mine.epoch)
      violate(`INV10: the store took a write of epoch ${epoch} of ${life.name}; the epoch is ${mine.epoch}`)
    const seen = epoch === null ? events.find(({ kind }) => OF_THE_OWNER.includes(kind)) : undefined
    if (seen !== undefined)
      violate(`INV10: ${life.name} wrote ${seen.kind} without an epoch, so that no store could refuse it`)
    for (const { event } of events) write(mine, event as Event)
    mine.revision = revision
  }

  function write(mine: Book, event: Event): void {
    const before = mine.state
    const after = evolve(before, event)
    trace.line('journal', () => `${mine.stream} ${brief(event, 300)}`)
    const broken =
      brokenInvariant(mine.memory, { before, event, after }) ??
      firstBroken(RULES, {
        book: mine,
        before,
        event,
        after,
        now: now(),
      })
    if (broken !== null) violate(broken)
    if (event.kind === 'routes-decided') {
      const besides = routesKey(event.routes, { ...event.side, preview: null })
      const first = routesKey(event.routes, event.side)
      mine.routes.set(event.sequence, { router: event.router, first, besides })
    }
    mine.events.push({ event, at: now() })
    mine.state = after
  }

  return {
    book,
    books: () => [...books.values()],
    granted,
    renewed: (life, leases, until) => {
      for (const { stream } of leases) untils.set(keyOf(life, stream), until)
    },
    appended,
    epochsOf: (life, stream) => epochs.get(keyOf(life, stream)) ?? new Set(),
    leaseUntil: (life, stream) => untils.get(keyOf(life, stream)) ?? Number.NEGATIVE_INFINITY,
  }
}

const RULES = [
  ...JOURNAL_RULES,
  ...HISTORY_RULES,
  ...CHECK_RULES,
  ...SIGNAL_RULES,
  ...STRATEGY_RULES,
  ...SHADOW_RULES,
  ...EJECTION_RULES,
]

function firstBroken(rules: readonly JournalRule[], step: Parameters<JournalRule>[0]): string | null {
  for (const rule of rules) {
    const broken = rule(step)
    if (broken !== null) return broken
  }
  return null
}

const newBook = (stream: string, truth: Truth): Book => ({
  stream,
  state: newServiceState(stream),
  revision: 0,
  epoch: 0,
  events: [],
  memory: { sequence: 0, outcomes: new Map() },
  routes: new Map(),
  routerAnswers: new Set(),
  measuredAt: new Map(),
  heldUntil: new Map(),
  facts: new Map(),
  deadline: { ms: 0, at: null },
  accepted: [],
  truth,
})
