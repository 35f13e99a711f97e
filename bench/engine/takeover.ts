import { LEASE_MS } from '../../src/engine/lease.ts'
import { type Aim, measured, orMissing, pointOf, type Row, spread } from '../kit/row.ts'
import type { ControllerProcess, Fleet } from './fleet.ts'
import type { StorePlace } from './messages.ts'

const RESUME_AIM_MS = 5_000
/** Lease and two seconds. */
const TAKEN_AIM_MS = LEASE_MS + 2_000

type Runs = { streams: number; runs: number; say: (text: string) => unknown }

/** From SIGKILL of the one controller until the other one has all of its streams, and until it has done what was due. */
export async function takeoverRows(fleet: Fleet, { streams, runs, say }: Runs): Promise<Row[]> {
  return orMissing('takeover after SIGKILL', async () => {
    const place = await fleet.place('postgres', streams)
    const taken: number[] = []
    const worked: number[] = []
    let owner = fleet.start(place, streams)
    await owner.report('working')
    for (let run = 0; run < runs; run += 1) {
      const other = fleet.start(place, streams)
      await other.report('joined')
      const killedAt = Date.now()
      await owner.kill()
      const { at, takenAt } = await other.report('working')
      taken.push(takenAt - killedAt)
      worked.push(at - killedAt)
      say(
        `takeover of ${streams}: all taken after ${takenAt - killedAt} ms, at work after ${at - killedAt} ms`,
      )
      owner = other
    }
    await owner.kill()
    const what = `postgres, takeover of ${streams} rollouts after SIGKILL`
    return [
      row(`${what}: all taken`, taken, {
        text: `under ${TAKEN_AIM_MS} ms (lease and 2 s)`,
        limit: TAKEN_AIM_MS,
      }),
      row(`${what}: all looked at and what was due done`, worked, null),
    ]
  })
}

/** From the start of the process until all streams were looked at and what was due was done. */
export async function resumeRows(
  fleet: Fleet,
  { kind, streams, runs, say }: Runs & { kind: StorePlace['kind'] },
): Promise<Row[]> {
  const what = `${kind}, resume of ${streams} rollouts after a restart`
  return orMissing(what, async () => {
    const place = await fleet.place(kind, streams)
    const times: number[] = []
    let last: ControllerProcess | null = null
    for (let run = 0; run <= runs; run += 1) {
      // The leases of a shared store outlive a kill, which is the takeover; a restart gives them back.
      await (kind === 'sqlite' ? last?.kill() : last?.end())
      const began = Date.now()
      last = fleet.start(place, streams)
      const { at } = await last.report('working')
      if (run > 0) times.push(at - began)
      say(`${what}: ${at - began} ms${run === 0 ? ' (not counted)' : ''}`)
    }
    await last?.kill()
    return [row(what, times, { text: `under ${RESUME_AIM_MS} ms`, limit: RESUME_AIM_MS })]
  })
}

function row(what: string, times: readonly number[], aim: { text: string; limit: number } | null): Row {
  const points = spread(times)
  const held: Aim | null =
    aim === null ? null : { text: `${aim.text} in all runs`, met: pointOf(points, 'max') < aim.limit }
  return measured(what, { unit: 'ms', points, runs: times.length, ...(held === null ? {} : { aim: held }) })
}
