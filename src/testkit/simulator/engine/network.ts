import type { Problem } from '../../../core/shared/problem.ts'
import { problem } from '../../../core/shared/problem.ts'
import type { Result } from '../../../core/shared/result.ts'
import { failed } from '../../../core/shared/result.ts'
import type { Life } from './life.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { Trace } from './trace.ts'
import { brief } from './trace.ts'

export type Part = 'store' | 'router' | 'target' | 'metrics' | 'notifier' | 'freezes'

/** What can strike one call. `conflict`, `stale` and `half` are for the calls that can have them. */
export const CALL_FAULTS = [
  'lose-request',
  'lose-answer',
  'double',
  'slow',
  'crash-before',
  'crash-after',
  'conflict',
  'stale',
  'half',
] as const
export type CallFault = (typeof CALL_FAULTS)[number]

/** Usual time there and back, each way. */
const LATENCY_MS: Record<Part, [number, number]> = {
  store: [0, 6],
  router: [1, 20],
  target: [1, 20],
  metrics: [1, 20],
  notifier: [2, 60],
  freezes: [0, 6],
}
const HINT_SHARE = 0.1
const SLOW_MS: [number, number] = [400, 4000]

export type Call<T> = {
  life: Life
  part: Part
  method: string
  about: unknown
  /** It is no message but work inside the caller: when that is dead by then, nothing happens. */
  diesWithCaller?: boolean
  /** What the call does where it arrives. */
  act(): Promise<T> | T
  /** The answer to who gets none. */
  unanswered(problem: Problem): T
  /** In place of `act` for the faults that are of this call alone. */
  instead?: Partial<Record<CallFault, () => T>>
}

/**
 * Between the controllers and the world: every call takes its time, and can be struck on its way. A request that is under
 * way when its sender dies still arrives.
 */
export type Network = {
  call<T>(call: Call<T>): Promise<T>
  /** The next call of this method is struck. */
  arm(method: string, fault: CallFault): void
  cut(part: Part, host: string | null, forMs: number): void
  heal(): void
  /** How often each kind of fault truly happened. */
  struck(): Readonly<Record<string, number>>
  note(fault: string): void
  /** Does this hint of the store get through? Most do not: nothing may depend on them. */
  hints(): boolean
}

export type NetworkParts = {
  scheduler: Scheduler
  random: Random
  trace: Trace
  /** Ends the life of a controller. */
  kill(life: Life): void
}

export function createNetwork({ scheduler, random, trace, kill }: NetworkParts): Network {
  let armed: { method: string; fault: CallFault }[] = []
  let cuts: { part: Part; host: string | null; until: number }[] = []
  const counts: Record<string, number> = {}

  const note = (fault: string): void => {
    counts[fault] = (counts[fault] ?? 0) + 1
  }
  const isCut = (part: Part, { host }: Life): boolean =>
    cuts.some(
      (cut) =>
        cut.part === part && cut.until > scheduler.now() && (cut.host === null || cut.host === host.name),
    )
  const latency = (part: Part): number => random.int(...LATENCY_MS[part])

  function faultFor<T>({ part, method, instead }: Call<T>): CallFault | null {
    const name = `${part}.${method}`
    const index = armed.findIndex(
      (one) => one.method === name && (!isSpecial(one.fault) || instead?.[one.fault] !== undefined),
    )
    if (index < 0) return null
    const [found] = armed.splice(index, 1)
    return found?.fault ?? null
  }

  function call<T>(made: Call<T>): Promise<T> {
    const { life, part, method } = made
    if (life.isDead()) return new Promise(() => undefined)
    const fault = faultFor(made)
    const name = `${part}.${method}`
    trace.line(life.name, () => `${name} ${brief(made.about)}${fault === null ? '' : ` [${fault}]`}`)
    if (fault !== null) note(fault)
    if (fault === 'crash-before') {
      kill(life)
      return new Promise(() => undefined)
    }
    const slowMs = fault === 'slow' ? random.int(...SLOW_MS) : 0
    return new Promise((resolve) => {
      const answer = (result: T, afterMs: number): void =>
        scheduler.after(afterMs, () =>
          life.whenAwake(() => {
            trace.line(life.name, () => `${name} -> ${shown(result)}`)
            resolve(result)
          }),
        )
      const thereMs = latency(part) + slowMs
      const backMs = latency(part)
      const lostMs = random.int(50, 300)
      scheduler.after(thereMs, () => {
        if (made.diesWithCaller === true && life.isDead()) return
        if (isCut(part, life)) note(`${part} unreachable`)
        if (isCut(part, life) || fault === 'lose-request')
          return answer(made.unanswered(unreachable(part)), lostMs)
        const acting = perform(made, fault)
        const finish = (result: T): void => {
          if (fault === 'double') scheduler.after(random.int(1, 2000), () => void made.act())
          if (fault === 'crash-after') kill(life)
          if (fault === 'lose-answer') answer(made.unanswered(unreachable(part)), lostMs)
          else answer(result, backMs)
        }
        if (!(acting instanceof Promise)) return finish(acting)
        scheduler.waitFor(acting.then(finish))
      })
    })
  }

  return {
    call,
    arm: (method, fault) => armed.push({ method, fault }),
    cut: (part, host, forMs) => cuts.push({ part, host, until: scheduler.now() + forMs }),
    heal: () => {
      armed = []
      cuts = []
    },
    struck: () => counts,
    note,
    hints: () => random.chance(HINT_SHARE),
  }
}

function perform<T>({ act, instead }: Call<T>, fault: CallFault | null): Promise<T> | T {
  const special = fault === null ? undefined : instead?.[fault]
  return special === undefined ? act() : special()
}

const isSpecial = (fault: CallFault): boolean => fault === 'conflict' || fault === 'stale' || fault === 'half'

const shown = (result: unknown): string => {
  const answer = result as Result<unknown> | null
  if (answer?.kind === 'failed') return `failed ${answer.problem.code}`
  if (answer?.kind === 'ok') return `ok ${brief(answer.value, 160)}`
  return brief(result, 160)
}

const unreachable = (part: Part): Problem =>
  problem(`${part.toUpperCase()}_UNREACHABLE`, {
    message: `The ${part} did not answer in time.`,
    remedy: 'It is tried again.',
    retryable: true,
  })

/** For calls that answer with a result. */
export const unanswered = (problem: Problem): Result<never> => failed(problem)
