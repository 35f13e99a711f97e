import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { LEASE_MS } from '../../../src/engine/lease.ts'
import type { PostgresServer } from '../../../src/testkit/servers/postgres.test.kit.ts'
import { slowness } from '../../../src/testkit/slowness.test.kit.ts'
import { type Audit, startAudit } from './audit.ts'
import { eventually, Hopeless } from './settle.ts'
import { ask, createStack, STREAM, type Stack, type StackOptions, type StartOptions } from './stack.ts'

/** The rule: whoever is gone is replaced within the lease and two seconds, on a quiet machine. */
export const TAKEOVER_MS = LEASE_MS + 2000 * slowness()

export const manual = {
  canary: {
    steps: [{ weight: '25%', pause: 'manual' }, { weight: '60%', pause: 'manual' }, { weight: '100%' }],
    watch: '300ms',
    hold: '200ms',
  },
}

/** One controller of several; `name` is what the database knows it as. */
export type Seat = { name: string; pid: number; child: ChildProcess }

/** A stack with controllers that share one database. */
export type Group = {
  stack: Stack
  audit: Audit
  /** Starts one more, and waits until it takes calls. */
  add(more?: StartOptions & { port?: number }): Promise<Seat>
  seats(): Seat[]
  /** Who looks after a stream, as the database knows it. */
  holder(stream?: string): Promise<{ seat: Seat; epoch: number }>
  /** SIGKILL; the time of it, by the clock of the database. */
  kill(seat: Seat): Promise<number>
  /** Waits until somebody else than `before` holds the stream and wrote to it; the holding. */
  takenOver(before: { epoch: number }, stream?: string): Promise<{ seat: Seat; epoch: number; at: number }>
  /** Lines that a controller logged. */
  logOf(seat: Seat): string[]
}

type GroupOptions = Omit<StackOptions, 'versions'> & {
  server: PostgresServer
  versions: StackOptions['versions']
  /** How each of the first controllers is started. */
  controllers: (StartOptions & { port?: number })[]
  atEnd?: (remove: () => Promise<void>) => void
}

/** Empties the database, starts the controllers and releases 1.0.0, unless there are several services. */
export async function startGroup({ server, controllers, atEnd, ...of }: GroupOptions): Promise<Group> {
  await server.sql('DROP SCHEMA IF EXISTS sluice CASCADE; DROP SCHEMA IF EXISTS audit CASCADE')
  const stack = await createStack({ file: { strategy: manual }, ...of }, atEnd)
  const seats: Seat[] = []
  let number = 0
  const add: Group['add'] = async ({ port = server.port, ...options } = {}) => {
    number += 1
    const name = `controller-${number}`
    const url = new URL(server.url)
    url.port = `${port}`
    url.searchParams.set('application_name', name)
    const env = { ...options.env, SLUICE_DATABASE_URL: url.href }
    const child = await stack.startController({ ...options, env, wait: false })
    const seat = { name, pid: child.pid ?? 0, child }
    await eventually(`${name} to take calls`, () => {
      if (child.exitCode !== null)
        throw new Hopeless(`${name} ended with ${child.exitCode}: ${lastLines(stack)}`)
      return hasSocket(stack, seat)
    })
    seats.push(seat)
    return seat
  }
  const [first, ...others] = controllers
  await add(first)
  const audit = await startAudit(server)
  await Promise.all(others.map(add))
  await eventually(
    'a controller that is ready',
    async () => (await stack.client.probe('/readyz/store')) === 200,
  )
  if (of.file?.services === undefined) {
    const { outcome } = await stack.deploy('1.0.0')
    if (outcome !== 'promoted') throw new Error(`the first release ended as ${outcome}`)
  }
  return { stack, audit, add, seats: () => [...seats], ...watching({ stack, audit, seats }) }
}

function watching({ stack, audit, seats }: { stack: Stack; audit: Audit; seats: readonly Seat[] }) {
  const seatOf = (pid: number | null): Seat => {
    const found = seats.find((seat) => seat.pid === pid)
    if (found === undefined) throw new Error(`the lease is held by nobody of ours, but by ${pid}`)
    return found
  }
  const lastHolding = async (stream: string) => {
    const last = (await audit.holdings()).filter((holding) => holding.stream === stream).at(-1)
    return last === undefined || last.pid === null ? null : last
  }
  return {
    holder: async (stream = STREAM) => {
      const { pid, epoch } = await eventually(`a holder of ${stream}`, () => lastHolding(stream))
      return { seat: seatOf(pid), epoch }
    },
    kill: async (seat: Seat) => {
      const at = await audit.now()
      seat.child.kill('SIGKILL')
      await eventually(`the end of ${seat.name}`, () => seat.child.signalCode !== null)
      return at
    },
    takenOver: async (before: { epoch: number }, stream = STREAM) => {
      const { pid, epoch } = await eventually(`another holder of ${stream}`, async () => {
        const last = await lastHolding(stream)
        return last !== null && last.epoch > before.epoch ? last : null
      })
      const { at } = await eventually(`a word of the new holder of ${stream}`, async () =>
        (await audit.writings()).find((one) => one.stream === stream && one.epoch === epoch),
      )
      return { seat: seatOf(pid), epoch, at }
    },
    logOf: ({ pid }: Seat) =>
      readFileSync(path.join(stack.state, 'controller.log'), 'utf8')
        .split('\n')
        .filter((line) => line.includes(`"pid":${pid},`)),
  }
}

const lastLines = ({ state }: Stack): string =>
  readFileSync(path.join(state, 'controller.log'), 'utf8').slice(-2000)
const hasSocket = ({ state }: Stack, { pid }: Pick<Seat, 'pid'>): boolean =>
  readdirSync(state).includes(`c-${pid}.sock`)

/** Whether a controller answers by itself, not through another one. */
export const isReady = async ({ state }: Stack, { pid }: Seat): Promise<boolean> =>
  (await ask({ socketPath: path.join(state, `c-${pid}.sock`), method: 'GET', path: '/readyz/store' }))
    .status === 200

/** Promotes until it is heard: right after a takeover nobody may be there, or the step is not ready for it. */
export async function promoteTo(stack: Stack, rollout: string, permille: number | null): Promise<void> {
  await eventually('a promotion that was heard', async () => (await stack.refusal('promote', {})) === null)
  if (permille !== null) await stack.stage(rollout, permille)
}
