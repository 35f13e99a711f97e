import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import type { Outcome } from '../../../src/core/rollout/outcome.ts'
import type { Reason } from '../../../src/core/rollout/reason.ts'
import { type Load, startLoad } from '../../../src/testkit/load/load.ts'
import { SHOP_MIX } from '../../../src/testkit/load/mix.ts'
import type { LoadStats } from '../../../src/testkit/load/tally.ts'
import { createRandom } from '../../../src/testkit/simulator/engine/random.ts'
import { type Entry, readJournal } from '../../live/kit/journal.ts'
import { eventually } from '../../live/kit/settle.ts'
import type { Stack } from '../../live/kit/stack.ts'
import type { Kind, Line, Version } from './plan.ts'

const RATE_PER_SECOND = 60
/** No load outlives a test that was cut off. */
const LOAD_LIMIT_MS = 15 * 60_000
/** Customers of a slow machine wait: what takes this long is lost. */
const PATIENCE_MS = 60_000
const LOOK_EVERY_MS = 200
const SEE_EVERY_MS = 25
/** Far above the 45 s that a good one takes. */
const ROLLOUT_LIMIT_MS = 300_000

/** One rollout as its customers and its journal tell it. */
export type Released = {
  service: string
  version: string
  kind: Kind
  /** A warning that pauses keeps a bad version from being promoted; after that the test aborts it. */
  outcome: Outcome | 'paused'
  /** Requests that reached the version, those that it left without an answer included. */
  exposed: number
  /** 5xx among them, and those without an answer. */
  errors: number
  /** Requests that no version answered while it was released, and what was said of the first ones. */
  lost: { count: number; byDataPlane: number; messages: string[] }
  /** The verdict against it; `null` when there was none. */
  verdict: { reason: Reason; msAfterFirstRequest: number } | null
}

type Told = { id: string; of: Version; outcome: Released['outcome']; at: LoadStats; seenAt: number | null }

/** Releases one version after the other while customers come at fixed times, in an order that the seed says. */
export async function releaseAll(stack: Stack, url: string, line: Line): Promise<Released[]> {
  await stack.outcome(await stack.begin(line.first.version, { service: line.service }))
  const { next: random } = createRandom(line.loadSeed)
  const load = startLoad({
    url,
    ratePerSecond: RATE_PER_SECOND,
    mix: SHOP_MIX,
    timeoutMs: PATIENCE_MS,
    durationMs: LOAD_LIMIT_MS,
    random,
  })
  const told: Told[] = []
  try {
    for (const of of line.next) told.push(await releaseOne(stack, { service: line.service, of, load }))
  } finally {
    await load.stop()
  }
  const end = await load.finished
  const journal = readJournal(path.join(stack.state, 'state.db'), `${line.service}.local`)
  return told.map(({ id, of: { version, kind }, outcome, at, seenAt }, index) => ({
    service: line.service,
    version,
    kind,
    outcome,
    ...customersOf(version, { at, until: told[index + 1]?.at ?? end, end }),
    verdict: verdictIn(journal, id, seenAt),
  }))
}

type One = { service: string; of: Version; load: Load }

async function releaseOne(stack: Stack, { service, of, load }: One): Promise<Told> {
  const at = load.stats()
  const id = await eventually(`a rollout of ${of.version}`, () => stack.begin(of.version, { service }))
  const over = new AbortController()
  const seen = firstAnswerOf(of.version, load, over.signal)
  const first = await endOrPause(stack, id)
  const next = of.kind === 'good' ? 'resume' : 'abort'
  let last = first
  for (; last === 'paused'; last = await endOrPause(stack, id))
    await stack.call(next, { service }, z.unknown())
  over.abort()
  const outcome = first === 'paused' && last === 'aborted' ? first : last
  return { id, of, outcome, at, seenAt: await seen }
}

const endOrPause = (stack: Stack, id: string): Promise<Outcome | 'paused'> =>
  eventually(
    `a verdict about ${id}`,
    async () => {
      await sleep(LOOK_EVERY_MS)
      const { outcome, state } = (await stack.rollout(id)).rollout
      return outcome ?? (state === 'paused' ? state : null)
    },
    ROLLOUT_LIMIT_MS,
  )

async function firstAnswerOf(version: string, load: Load, over: AbortSignal): Promise<number | null> {
  while (!over.aborted) {
    if ((load.stats().byVersion[version] ?? 0) > 0) return Date.now()
    await sleep(SEE_EVERY_MS)
  }
  return null
}

/** What no version answered is held against the candidate of that time: an instance that broke off, or would not listen. */
function customersOf(version: string, { at, until, end }: Record<'at' | 'until' | 'end', LoadStats>) {
  const since = (of: (stats: LoadStats) => number | undefined): number => (of(until) ?? 0) - (of(at) ?? 0)
  const lost = since((stats) => stats.lost.count)
  const unanswered = lost + since(({ byVersion }) => byVersion.unknown)
  return {
    exposed: (end.byVersion[version] ?? 0) + unanswered,
    errors: (end.errorsByVersion[version] ?? 0) + unanswered,
    lost: {
      count: lost,
      byDataPlane: since((stats) => stats.lost.byKind['data-plane']),
      messages: until.lost.samples.slice(at.lost.samples.length).map(({ message }) => message),
    },
  }
}

/** When the product said that it goes no further with the rollout, and why. */
function verdictIn(journal: readonly Entry[], id: string, seenAt: number | null): Released['verdict'] {
  const events = journal.map(({ event }) => event)
  const begin = events.findIndex((event) => event.kind === 'rollout-started' && event.rollout.id === id)
  for (const event of events.slice(begin + 1)) {
    if (event.kind === 'rollout-started') return null
    if (event.kind === 'return-started' || event.kind === 'rollout-paused')
      return { reason: event.reason, msAfterFirstRequest: Math.max(0, event.at - (seenAt ?? event.at)) }
  }
  return null
}
