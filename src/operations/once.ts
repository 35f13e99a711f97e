import * as z from 'zod'
import type { ServiceState } from '../core/rollout/state.ts'
import type { ServiceView } from '../core/rollout/view/view.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { Engine } from '../engine/engine.ts'
import { ROLLOUT_DOCUMENT, RolloutRecord } from '../engine/record.ts'
import type { Store } from '../ports/store.ts'
import type { OperationContext } from './context.ts'

/** What a request with a key was about; kept before anything is decided, so that a repeat finds it after any crash. */
export const REQUEST_DOCUMENT = 'request'
/** Digits of the hash in an id that is derived from a key. */
const ID_DIGITS = 16

export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 visible ASCII characters')
  .exactOptional()
  .describe(
    'Name of this request, made by whoever sends it; the header `Idempotency-Key` does the same. A repeat with the same key answers with the rollout that the first one began, and begins nothing.',
  )

const RequestRecord = z.object({
  /** Hash of the operation and everything it was asked. */
  fingerprint: z.string(),
  /** `begins` the rollout, `returns` it to stable, or was `done` with this answer. */
  kind: z.enum(['begins', 'returns', 'done']),
  rollout: z.string().nullable(),
})
type RequestRecord = z.infer<typeof RequestRecord>

export type OnceContext = Pick<OperationContext, 'ids' | 'digest' | 'clock' | 'viewOf' | 'inTurn'> & {
  store: Pick<Store, 'getDocument' | 'putDocument'>
  engine: Pick<Engine, 'load'>
}

/** What an operation is asked, with the stream it was found to be about. */
export type Request = { operation: string; stream: string; key: string | undefined; input: object }

/** One try of a request. */
export type Attempt = {
  /** Id for the rollout it begins; the same at every try with the same key. */
  rollout: string
  /** To be called before a running rollout is sent back instead: a repeat must not send back the next one. */
  returns(rollout: string): Promise<Result<void>>
}
export type Answer = { rollout: string | null; view: ServiceView }

/**
 * Runs a request at most once per key. The note about it is written first, the journal entry second: a repeat after a
 * crash between the two tries again under the same id, a repeat after the entry finds the rollout.
 */
export async function once(
  context: OnceContext,
  request: Request,
  run: (attempt: Attempt) => Promise<Result<Answer>>,
): Promise<Result<Answer>> {
  const { key } = request
  if (key === undefined)
    return run({ rollout: context.ids.next('rollout'), returns: async () => ok(undefined) })
  const id = context.digest({ domain: 'sluice.request.v1', key }).slice(0, ID_DIGITS)
  return context.inTurn(`request ${id}`, () => runKeyed(context, { ...request, key, id }, run))
}

type KeyedRequest = Request & { key: string; id: string }

async function runKeyed(
  context: OnceContext,
  request: KeyedRequest,
  run: (attempt: Attempt) => Promise<Result<Answer>>,
): Promise<Result<Answer>> {
  const { operation, stream, input, key, id } = request
  const fingerprint = context.digest({ operation, stream, input })
  const rollout = `rollout-${id}`
  const document = await context.store.getDocument(REQUEST_DOCUMENT, id)
  if (document.kind === 'failed') return document
  const before = document.value === null ? null : RequestRecord.parse(document.value.body)
  if (before !== null && before.fingerprint !== fingerprint) return failed(keyReused(key))
  const answered = before === null ? ok(null) : await answerOf(context, stream, before)
  if (answered.kind === 'failed') return answered
  if (answered.value !== null) return ok(answered.value)
  const note = (record: Omit<RequestRecord, 'fingerprint'>): Promise<Result<void>> =>
    context.store.putDocument({
      kind: REQUEST_DOCUMENT,
      id,
      stream,
      at: context.clock.now(),
      body: { fingerprint, ...record } satisfies RequestRecord,
    })
  const noted = await note({ kind: 'begins', rollout })
  if (noted.kind === 'failed') return noted
  const result = await run({ rollout, returns: (back) => note({ kind: 'returns', rollout: back }) })
  if (result.kind === 'failed' || result.value.rollout === rollout) return result
  const done = await note({ kind: 'done', rollout: result.value.rollout })
  return done.kind === 'failed' ? done : result
}

/** The answer to a repeat, or `null` when the first try took no effect. */
async function answerOf(
  context: OnceContext,
  stream: string,
  { kind, rollout }: RequestRecord,
): Promise<Result<Answer | null>> {
  const loaded = await context.engine.load(stream)
  if (loaded.kind === 'failed') return loaded
  const { state } = loaded.value
  const answer: Answer = { rollout, view: context.viewOf(stream, loaded.value) }
  if (kind === 'done' || rollout === null) return ok(answer)
  if (kind === 'begins' && (state.rollout?.id === rollout || state.queued?.id === rollout)) return ok(answer)
  const outcome = await outcomeOf(context, state, rollout)
  if (outcome.kind === 'failed') return outcome
  const took = kind === 'begins' ? outcome.value !== 'unknown' : isGoingBack(outcome.value)
  return ok(took ? answer : null)
}

/** A rollout that was promoted, or goes on, was not sent back by anybody. */
const isGoingBack = (outcome: string): boolean =>
  outcome !== 'unknown' && outcome !== 'running' && outcome !== 'promoted'

/** Outcome of a rollout as recorded, `returning` or `running` before it has one, or `unknown`. */
async function outcomeOf(
  context: OnceContext,
  { rollout }: ServiceState,
  id: string,
): Promise<Result<string>> {
  if (rollout?.id === id)
    return ok(rollout.phase.kind === 'ended' ? rollout.phase.outcome : rollout.phase.kind)
  const document = await context.store.getDocument(ROLLOUT_DOCUMENT, id)
  if (document.kind === 'failed') return document
  if (document.value === null) return ok('unknown')
  return ok(RolloutRecord.safeParse(document.value.body).data?.view.outcome ?? 'running')
}

const keyReused = (key: string) =>
  problem('IDEMPOTENCY_KEY_REUSED', {
    message: `The key "${key}" belongs to another request already.`,
    remedy: 'Send this request with a key of its own. Repeat a key only with exactly the same request.',
  })
