import * as z from 'zod'
import type { Problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { Engine } from '../engine.ts'
import type { Credentials } from './credentials.ts'
import { type Asked, imageProblem, pullFailed, saidOf, stalled } from './image-problem.ts'

/** The engine tells each layer's progress several times a second; after so long without a word nothing comes any more. */
const SILENCE_MS = 60_000
/** Until the registry begins to answer. */
const BEGIN_MS = 60_000
/** For all of it. The layers that came are kept: another try goes on from there. */
const PULL_LIMIT_MS = 10 * 60_000
/** One item of progress is a line of some hundred characters. */
const LONGEST_LINE = 1024 * 1024

const Item = z.object({
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string().optional() }).optional(),
})

export type PullRequest = Asked & { credentials: Credentials | null; silenceMs?: number; limitMs?: number }

/**
 * Pulls an image by digest. That the answer of the engine ended says nothing: a failure is an item in the midst of its
 * progress, and what counts is whether the image is there afterwards.
 */
export async function pull(engine: Engine, request: PullRequest): Promise<Result<void>> {
  const { image, credentials } = request
  const begun = await engine.ask({ what: `pull ${image}`, limitMs: BEGIN_MS }, (docker) =>
    docker.pull(image, credentials === null ? {} : { authconfig: credentials }),
  )
  if (begun.kind === 'failed') return failed(imageProblem(request, begun.problem))
  return await readProgress(begun.value, request)
}

/** Reads until the end, a failure, or silence; the stream is gone afterwards in any case. */
export async function readProgress(
  stream: NodeJS.ReadableStream,
  { silenceMs = SILENCE_MS, limitMs = PULL_LIMIT_MS, ...asked }: PullRequest,
): Promise<Result<void>> {
  const end = new AbortController()
  const limit = setTimeout(() => end.abort(stalled(asked, limitMs)), limitMs)
  let silence: NodeJS.Timeout | undefined
  const heard = (): void => {
    clearTimeout(silence)
    silence = setTimeout(() => end.abort(stalled(asked, silenceMs)), silenceMs)
  }
  try {
    heard()
    const said = await firstFailure(stream, { signal: end.signal, heard })
    return said === null ? ok(undefined) : failed(saidOf(asked, said))
  } catch (error) {
    const given: Problem | undefined = end.signal.aborted ? end.signal.reason : undefined
    return failed(given ?? pullFailed(asked, error instanceof Error ? error.message : String(error)))
  } finally {
    clearTimeout(limit)
    clearTimeout(silence)
    if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy()
  }
}

type Reading = { signal: AbortSignal; heard(): void }

/** The words of the first item that is a failure. What is no item says nothing, so it counts for nothing. */
async function firstFailure(
  stream: NodeJS.ReadableStream,
  { signal, heard }: Reading,
): Promise<string | null> {
  let rest = ''
  const gone = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('given up')), { once: true })
  })
  gone.catch(() => {})
  const chunks = stream[Symbol.asyncIterator]()
  for (;;) {
    const next = await Promise.race([chunks.next(), gone])
    if (next.done === true) return failureIn(rest)
    heard()
    const lines = `${rest}${String(next.value)}`.split('\n')
    rest = (lines.pop() ?? '').slice(-LONGEST_LINE)
    for (const line of lines) {
      const said = failureIn(line)
      if (said !== null) return said
    }
  }
}

function failureIn(line: string): string | null {
  if (!line.includes('rror')) return null
  try {
    const item = Item.safeParse(JSON.parse(line))
    return item.success ? (item.data.errorDetail?.message ?? item.data.error ?? null) : null
  } catch {
    return null
  }
}
