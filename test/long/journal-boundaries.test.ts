import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import type { Outcome } from '../../src/core/rollout/outcome.ts'
import { nameOf } from '../live/kit/event-name.ts'
import { type Entry, eventsOf } from '../live/kit/journal.ts'
import { eventually } from '../live/kit/settle.ts'
import { type Stack, startStack } from '../live/kit/stack.ts'
import { expectNothingLost, startTraffic } from '../live/kit/traffic.ts'
import { watchWeights } from '../live/kit/weights.ts'

const PRELOAD = fileURLToPath(new URL('../live/kit/kill-at-commit.ts', import.meta.url))

/** Each of about 40 kills is a start of a controller: seconds on a quiet machine, and ten times that on a busy one. */
const LIMIT_MS = 600_000
const TEST_LIMIT_MS = 2 * LIMIT_MS

/** What a rollout did, without times and ids: the same, however often the controller died. */
type Deeds = { outcome: Outcome | null; steps: string[]; weights: number[] }

it.each([
  {
    name: 'canary',
    version: '1.1.0',
    behaviour: {},
    outcome: 'promoted',
    weightsSeen: [0, 250, 600, 1000],
    pause: '1s',
  },
  {
    name: 'rollback',
    version: '1.2.0',
    behaviour: { errorShare: 1 },
    outcome: 'rolled_back',
    weightsSeen: [0, 250, 0],
    pause: '4s',
  },
] as const)(
  'a $name ends the same when the controller is killed before and after every commit of the journal (S112, S113)',
  async ({ version, behaviour, outcome, weightsSeen, pause }) => {
    const options = {
      versions: { '1.0.0': {}, [version]: behaviour },
      file: {
        strategy: {
          canary: {
            steps: [{ weight: '25%', pause }, { weight: '60%', pause }, { weight: '100%' }],
            watch: '500ms',
            hold: '200ms',
          },
        },
      },
    }
    const calm = await startStack({ ...options, stable: '1.0.0' })
    const undisturbed = await undisturbedDeeds(calm, version)
    expect(undisturbed.outcome).toBe(outcome)

    const stack = await startStack({ ...options, stable: '1.0.0' })
    const traffic = await startTraffic(stack)
    const weights = watchWeights(stack, version)
    const { rollout, kills, entries } = await rolloutUnderKills(stack, version)
    const seen = await weights.stop()
    const users = await traffic.stop()

    const boundaries = new Set(kills.map((kill) => kill.replace(/^(before|after) /, '')))
    console.log(
      `${kills.length} kills at ${boundaries.size} boundaries of a ${outcome} rollout; ${users.requests.sent} requests, ${users.requests.lost.count} lost; weights seen ${seen.join(', ')}`,
    )
    expect(neverKilledAt(entries, { rollout, kills })).toEqual([])
    for (const other of ['lease changed', 'document']) expect([...boundaries].join('; ')).toContain(other)
    const deeds = deedsOf(entries, rollout)
    expect({ ...deeds, steps: [] }).toEqual({ ...undisturbed, steps: [] })
    // Each step once and in order. A bad candidate may be found out a step earlier: it has traffic before that is confirmed.
    expect(deeds.steps).toEqual(undisturbed.steps.slice(0, deeds.steps.length))
    if (outcome === 'promoted') expect(deeds.steps).toEqual(undisturbed.steps)
    expect(seen).toEqual(weightsSeen)
    expectNothingLost(users)
    const serving = outcome === 'promoted' ? version : '1.0.0'
    expect((await stack.view()).stable?.version).toBe(serving)
    await eventually('two instances', () => stack.instances().length === 2)
  },
  TEST_LIMIT_MS,
)

async function undisturbedDeeds(stack: Stack, version: string): Promise<Deeds> {
  const traffic = await startTraffic(stack)
  const { id } = await stack.deploy(version)
  await traffic.stop()
  const deeds = deedsOf(stack.journal(), id)
  await stack.kill('controller')
  return deeds
}

/** Starts a controller again as soon as it killed itself, and asks for the rollout until it is heard. */
async function rolloutUnderKills(
  stack: Stack,
  version: string,
): Promise<{ rollout: string; kills: string[]; entries: Entry[] }> {
  const file = path.join(stack.folder, 'kills')
  await stack.kill('controller')
  let isOver = false
  onTestFinished(() => {
    isOver = true
  })
  const keeping = (async () => {
    while (!isOver) {
      const child = await stack.startController({
        preload: PRELOAD,
        env: { KILLS_FILE: file },
        wait: false,
      })
      await once(child, 'exit')
    }
  })()
  const rollout = await eventually('a rollout that began', () => askOrFind(stack, version), LIMIT_MS)
  await eventually(
    'an outcome',
    async () => (await stack.rollout(rollout).catch(() => null))?.rollout.outcome ?? null,
    LIMIT_MS,
  )
  await eventually(
    'the end of the clean-up',
    async () => (await stack.view().catch(() => null))?.sets.length === 1,
    LIMIT_MS,
  )
  isOver = true
  await stack.kill('controller')
  await keeping
  const entries = stack.journal()
  await stack.startController()
  const kills = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  return { rollout, kills, entries }
}

/** The answer of a deploy is lost when the controller dies after it wrote it down; asking twice could begin a second one. */
async function askOrFind(stack: Stack, version: string): Promise<string | null> {
  const started = eventsOf(stack.journal(), 'rollout-started').map(({ rollout }) => rollout)
  const mine = started.find(({ plan }) => plan.to.version === version)
  return mine?.id ?? stack.begin(version).catch(() => null)
}

/** Events that this rollout wrote down although nobody was killed before and after the commit that holds them. */
function neverKilledAt(
  entries: readonly Entry[],
  { rollout, kills }: { rollout: string; kills: readonly string[] },
): string[] {
  const hit = (side: string, name: string) =>
    kills.some((kill) => kill.startsWith(`${side} `) && ` ${kill},`.includes(` ${name},`))
  return entriesOf(entries, rollout)
    .map(({ event }) => nameOf(event))
    .filter((name) => name !== 'metrics-observed' && !(hit('before', name) && hit('after', name)))
}

const entriesOf = (entries: readonly Entry[], rollout: string): Entry[] =>
  entries.slice(
    entries.findIndex(({ event }) => event.kind === 'rollout-started' && event.rollout.id === rollout),
  )

function deedsOf(entries: readonly Entry[], rollout: string): Deeds {
  const mine = entriesOf(entries, rollout)
  const release = eventsOf(mine, 'rollout-started')[0]?.rollout.plan.to.release ?? ''
  return {
    outcome: eventsOf(mine, 'outcome-reached')[0]?.outcome ?? null,
    steps: mine.flatMap(({ event }) =>
      event.kind === 'step-started' || event.kind === 'step-finished' ? [`${event.kind} ${event.index}`] : [],
    ),
    weights: eventsOf(mine, 'weights-decided').map(({ weights }) => weights[release] ?? 0),
  }
}
