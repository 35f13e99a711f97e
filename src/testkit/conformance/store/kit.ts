import type { Result } from '../../../core/shared/result.ts'
import type { NotificationMessage } from '../../../ports/notifier.ts'
import type {
  AppendRequest,
  ControllerIdentity,
  Lease,
  Store,
  StoredDocument,
  StoreRow,
} from '../../../ports/store.ts'

/**
 * `open` gives another handle on the same memory each time; `dispose` removes all of it. `expireLeases` makes every lease of
 * a shared store run out as if its time had passed, without a wait; an embedded store needs none.
 */
export type StoreHarness = {
  open(): Promise<Store>
  dispose(): Promise<void>
  expireLeases?(): Promise<void>
}

/** Replaced before each test; a use before that fails at once. */
export type Context = { store: Store; harness: StoreHarness }
export const unset = new Proxy(
  {},
  {
    get: () => {
      throw new Error('the store is not open yet')
    },
  },
) as never

export const ADA: ControllerIdentity = {
  name: 'ada',
  pid: 4711,
  host: 'alpha',
  startedAt: Date.UTC(2026, 0, 2),
}
export const BOB: ControllerIdentity = {
  name: 'bob',
  pid: 4712,
  host: 'beta',
  startedAt: Date.UTC(2026, 0, 3),
}
export const NOW = 1_000_000
/** Long enough that no test sees it end by itself. */
export const LEASE_MS = 10 * 60_000
const POLL_MS = 5
const POLL_DEADLINE_MS = 10_000

/** Written by anybody: no lease is needed. */
export const append = (store: Store, changes: Partial<AppendRequest> = {}) => store.append(request(changes))

export function request(changes: Partial<AppendRequest>): AppendRequest {
  const events = [{ kind: 'noted', event: {} }]
  const base = {
    stream: 'shop',
    expectedRevision: 0,
    epoch: null,
    at: NOW,
    schemaVersion: 1,
    state: {},
    due: null,
  }
  return { ...base, events, messages: [], documents: [], ...changes }
}

export const two = () => [
  { kind: 'one', event: 1 },
  { kind: 'two', event: 2 },
]

export const document = (id: string): StoredDocument => ({
  kind: 'release',
  id,
  stream: 'shop',
  at: 5,
  body: { version: id },
})

export function message(key: string): { channel: string; key: string; message: NotificationMessage } {
  const timestamp = '2026-01-02T03:04:05.000Z'
  return {
    channel: 'hook',
    key,
    message: { type: 'rollout.promoted', timestamp, severity: 'info', summary: 'Done.', data: { n: 1 } },
  }
}

export async function joined({ harness }: Context, who: ControllerIdentity): Promise<Store> {
  const store = await harness.open()
  valueIn(await store.join(who))
  return store
}

export async function claim(store: Store, limit = 100, now = NOW): Promise<Lease[]> {
  return valueIn(await store.claim({ now, leaseMs: LEASE_MS, limit }))
}

export async function rowsOf(store: Store): Promise<StoreRow[]> {
  const rows: StoreRow[] = []
  valueIn(
    await store.dump((row) => {
      rows.push(row)
    }),
  )
  return rows
}

export async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + POLL_DEADLINE_MS
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error(`did not happen in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

export function valueIn<T>(result: Result<T>): T {
  if (result.kind === 'ok') return result.value
  throw new Error(`${result.problem.code}: ${result.problem.message}`)
}

export function problemIn(result: Result<unknown>) {
  if (result.kind === 'failed') return result.problem
  throw new Error('expected a failure')
}
