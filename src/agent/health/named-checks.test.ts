import { describe, expect, it } from 'vitest'
import type { NamedCheck } from '../../core/shared/health-check.ts'
import { type InstanceRecord, newInstance } from '../instance-record.ts'
import type { ProbeAnswer } from '../probe.ts'
import { NamedChecks, type NamedChecksParts } from './named-checks.ts'

const DATABASE: NamedCheck = {
  name: 'database',
  kind: 'dependency',
  check: { kind: 'address', host: 'db', port: 5432 },
  everyMs: 30_000,
  timeoutMs: 1000,
  failures: 2,
  onFailure: 'warning',
}
const QUEUE: NamedCheck = { ...DATABASE, name: 'queue', check: { kind: 'http', path: '/queue' } }
const ready = (id: string, createdAt: number, release = 'shop@1'): InstanceRecord => ({
  ...newInstance({ id, service: 'shop', release, at: createdAt }),
  state: 'ready',
  process: { pid: createdAt + 100, startTime: '1' },
})

function watching(checks: NamedCheck[], instances: InstanceRecord[]) {
  const asked: string[] = []
  const failing = new Map<string, string>()
  const spec = { health: { path: '/up', checks } }
  const registry = {
    findSet: () => ({ spec }),
    sets: () => [{ spec }],
  } as unknown as NamedChecksParts['registry']
  const named = new NamedChecks({
    registry,
    asker: {
      ask: async ({ id, release }, _, { check }): Promise<ProbeAnswer> => {
        asked.push(`${id} ${check.kind}`)
        const message = failing.get(release)
        return message === undefined
          ? { kind: 'passed' }
          : { kind: 'failed', failure: { kind: 'refused', message, at: 0 } }
      },
    },
  })
  return {
    named,
    /** Looks until nothing is asked any more; answers with what was asked at that time. */
    turn: async (now: number, present = instances) => {
      asked.length = 0
      for (let before = -1; before !== asked.length; ) {
        before = asked.length
        named.turn(present, now)
        await new Promise(setImmediate)
      }
      named.turn(present, now)
      return asked.toSorted()
    },
    fails: (message: string, ...releases: string[]) => {
      for (const release of releases) failing.set(release, message)
    },
    passes: (...releases: string[]) => {
      for (const release of releases) failing.delete(release)
    },
    statesOf: (...records: InstanceRecord[]) =>
      records.map((record) =>
        named
          .resultsOf(record)
          ?.map(({ state }) => state)
          .join(),
      ),
  }
}

describe('named checks on the host', () => {
  const one = ready('one', 0)
  const two = ready('two', 1)

  it('ask each instance for its own answer, and the oldest one for what is the same for all', async () => {
    const { turn } = watching([DATABASE, QUEUE], [two, one])
    expect(await turn(0)).toEqual(['one address', 'one http', 'two http'])
    expect(await turn(29_999)).toEqual([])
    expect(await turn(30_000)).toEqual(['one address', 'one http', 'two http'])
  })

  it('count as failing after failures in a row, ask sooner after one, and name the cause', async () => {
    const { named, turn, fails, passes } = watching([DATABASE], [one])
    expect(named.resultsOf(one)).toBeUndefined()
    await turn(0)
    expect(named.resultsOf(one)).toMatchObject([{ name: 'database', state: 'passing', message: null }])
    fails('db:5432 was refused', 'shop@1')
    await turn(30_000)
    expect(named.resultsOf(one)).toMatchObject([{ state: 'passing', message: 'db:5432 was refused' }])
    expect(await turn(34_999)).toEqual([])
    expect(await turn(35_000)).toEqual(['one address'])
    expect(named.resultsOf(one)).toMatchObject([
      { state: 'failing', message: 'db:5432 was refused', onFailure: 'warning' },
    ])
    passes('shop@1')
    await turn(40_000)
    expect(named.resultsOf(one)).toMatchObject([{ state: 'passing', message: null }])
  })

  it('forget what they knew of an instance that is not ready any more, or runs anew', async () => {
    const { named, turn } = watching([DATABASE], [one])
    await turn(0)
    const anew: InstanceRecord = { ...one, process: { pid: 7, startTime: '2' } }
    expect(named.resultsOf(anew)).toBeUndefined()
    await turn(1, [anew])
    expect(named.resultsOf(anew)).toMatchObject([{ state: 'passing' }])
    await turn(2, [{ ...anew, state: 'unready' }])
    expect(named.resultsOf(anew)).toBeUndefined()
  })

  describe('of two releases', () => {
    const stable = ready('stable', 0)
    const candidate = ready('candidate', 1, 'shop@2')

    it('say that the database is gone for both at the same time, whoever noticed first', async () => {
      const { turn, fails, passes, statesOf } = watching([DATABASE], [stable, candidate])
      await turn(0)
      expect(statesOf(stable, candidate)).toEqual(['passing', 'passing'])
      fails('gone', 'shop@1')
      await turn(30_000)
      fails('gone', 'shop@2')
      // Stable has failed often enough, so the candidate is asked out of turn: it is in doubt, so nothing is said yet.
      expect(await turn(35_000)).toEqual(['candidate address', 'stable address'])
      expect(statesOf(stable, candidate)).toEqual(['passing', 'passing'])
      await turn(40_000)
      expect(statesOf(stable, candidate)).toEqual(['failing', 'failing'])
      passes('shop@1', 'shop@2')
      await turn(45_000)
      expect(statesOf(stable, candidate)).toEqual(['passing', 'passing'])
    })

    it('say that only the candidate fails once stable was asked since', async () => {
      const { turn, fails, statesOf } = watching([DATABASE], [stable, candidate])
      await turn(0)
      fails('wrong password', 'shop@2')
      await turn(30_000)
      expect(statesOf(stable, candidate)).toEqual(['passing', 'passing'])
      expect(await turn(35_000)).toEqual(['candidate address', 'stable address'])
      expect(statesOf(stable, candidate)).toEqual(['passing', 'failing'])
    })
  })
})
