import { type IncomingMessage, request } from 'node:http'
import { userInfo } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { Problem, problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { bringsRelease, patienceMs } from '../operations/patience.ts'
import { controllerSockets, readRuntime } from './controller/runtime-file.ts'

/** An operation answers within this, where it does not bring a release here first. */
const CALL_TIMEOUT_MS = 120_000
/** Whoever waits for a release to be brought here is told so after this long. */
const SLOW_AFTER_MS = 5000
/** A controller that was restarted is back in seconds; a lost answer is asked for again this long. */
const RESEND_FOR_MS = 30_000
const RESEND_EVERY_MS = 500
/** A probe of life answers within this. */
const PROBE_TIMEOUT_MS = 2000
/** Whether a controller reaches its store. */
const READY = '/readyz/store'
/** Of several controllers the usual one is taken if it answers within this; one that is frozen or cut off would not answer at all. */
const USUAL_TIMEOUT_MS = 500
/** An answer larger than this is not one of ours. */
const ANSWER_LIMIT_BYTES = 32 * 1024 * 1024

/** A failed call: one problem, or several when the input had several. */
export type CallFailure = Problem & { problems?: Problem[] }

/** Talks to the controller of one state folder over its unix socket; finds the socket anew for every call. */
export interface Client {
  call<Output>(
    operation: string,
    input: object,
    output: z.ZodType<Output>,
    /** Name of this request: it is sent again under it when the answer is lost, and takes effect once. */
    idempotencyKey?: string,
  ): Promise<Result<Output, CallFailure>>
  /** Status of a plain GET such as `/readyz`; `null` when nobody answers. */
  probe(path: string): Promise<number | null>
  /** Opens an event stream; the caller reads and closes it. */
  open(path: string, signal: AbortSignal): Promise<Result<IncomingMessage>>
  /** Where it is found, for messages. */
  readonly stateFolder: string
}

/** `onSlow` is called once in a call that waits for a release to be brought here. */
export function createClient(stateFolder: string, onSlow: () => void = () => undefined): Client {
  const socket = () => readySocket(controllerSockets(readRuntime(stateFolder)))
  return {
    stateFolder,
    async call(operation, input, output, idempotencyKey) {
      const send = async () => {
        const socketPath = await socket()
        if (socketPath === null) return failed(notRunning(stateFolder))
        const answer = await post(socketPath, { operation, input, idempotencyKey })
        return answer.kind === 'failed' ? answer : readAnswer(operation, answer.value, output)
      }
      const slow = bringsRelease(operation) ? setTimeout(onSlow, SLOW_AFTER_MS) : undefined
      try {
        return await (idempotencyKey === undefined ? send() : untilAnswered(send))
      } finally {
        clearTimeout(slow)
      }
    },
    async probe(path) {
      const socketPath = await socket()
      if (socketPath === null) return null
      return get(socketPath, path, PROBE_TIMEOUT_MS)
    },
    async open(path, signal) {
      const socketPath = await socket()
      return socketPath === null ? failed(notRunning(stateFolder)) : openStream(socketPath, path, signal)
    },
  }
}

/**
 * Any controller of a folder answers for all of them, unless it is dead, frozen or cut off from the database. A single one
 * is not asked first; when none is ready, the usual one is named, so that the failure speaks of it.
 */
async function readySocket([usual, ...others]: readonly string[]): Promise<string | null> {
  if (usual === undefined) return null
  if (others.length === 0 || (await get(usual, READY, USUAL_TIMEOUT_MS)) === 200) return usual
  const asked = others.map(async (other) => {
    if ((await get(other, READY, PROBE_TIMEOUT_MS)) !== 200) throw new Error('not ready')
    return other
  })
  return Promise.any(asked).catch(() => usual)
}

/** Sends again while nobody can tell whether the request took effect. */
async function untilAnswered<T>(
  send: () => Promise<Result<T, CallFailure>>,
): Promise<Result<T, CallFailure>> {
  let answer = await send()
  const deadline = Date.now() + RESEND_FOR_MS
  while (answer.kind === 'failed' && LOST_ANSWER.has(answer.problem.code) && Date.now() < deadline) {
    await delay(RESEND_EVERY_MS)
    answer = await send()
  }
  return answer
}

/** A controller that is started anew is not running for a moment. */
const LOST_ANSWER = new Set(['CONTROLLER_UNREACHABLE', 'CONTROLLER_NOT_RUNNING', 'OPERATION_TIMEOUT'])

type Answer = { status: number; body: string }
type Post = { operation: string; input: object; idempotencyKey: string | undefined }

function post(socketPath: string, { operation, input, idempotencyKey }: Post): Promise<Result<Answer>> {
  const limitMs = patienceMs(operation, CALL_TIMEOUT_MS)
  return new Promise((resolve) => {
    const fail = (error: Error): void => resolve(failed(unreachable(socketPath, error.message)))
    const body = JSON.stringify(input)
    const call = request(
      {
        socketPath,
        method: 'POST',
        path: `/api/v1/${operation}`,
        timeout: limitMs,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
          ...callerHeaders(),
        },
      },
      (response) =>
        void readBody(response).then(
          (text) => resolve(ok({ status: response.statusCode ?? 0, body: text })),
          fail,
        ),
    )
    call.on('timeout', () => call.destroy(new Error(`no answer within ${limitMs / 1000} s`)))
    call.on('error', fail)
    call.end(body)
  })
}

function get(socketPath: string, path: string, timeout: number): Promise<number | null> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path, timeout }, (response) => {
      response.resume()
      resolve(response.statusCode ?? null)
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(null))
    call.on('close', () => resolve(null))
    call.end()
  })
}

function openStream(socketPath: string, path: string, signal: AbortSignal): Promise<Result<IncomingMessage>> {
  return new Promise((resolve) => {
    const headers = { accept: 'text/event-stream', ...callerHeaders() }
    const call = request({ socketPath, path, headers, signal }, (response) => {
      if (response.statusCode === 200) return resolve(ok(response))
      response.resume()
      resolve(failed(unreachable(socketPath, `the event stream answered ${response.statusCode}`)))
    })
    call.on('error', (error) => resolve(failed(unreachable(socketPath, error.message))))
    call.end()
  })
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > ANSWER_LIMIT_BYTES) throw new Error(`the answer is larger than ${ANSWER_LIMIT_BYTES} bytes`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readAnswer<Output>(
  operation: string,
  { status, body }: Answer,
  output: z.ZodType<Output>,
): Result<Output, CallFailure> {
  const content = parseJson(body)
  if (status === 200) {
    const parsed = output.safeParse(content)
    return parsed.success ? ok(parsed.data) : failed(misunderstood(operation, z.prettifyError(parsed.error)))
  }
  const refused = Refusal.safeParse(content)
  if (refused.success) {
    const { problems, ...first } = refused.data
    return failed(problems === undefined ? first : { ...first, problems })
  }
  return failed(misunderstood(operation, `status ${status}, not a problem document: ${body.slice(0, 200)}`))
}

const Refusal = Problem.extend({ problems: z.array(Problem).exactOptional() })

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The socket admits only the owner of the folder; the name is for the journal. */
function callerHeaders(): Record<string, string> {
  return { 'x-sluice-actor': userName().replace(/[^ -~]/g, '_') }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return 'unknown'
  }
}

const notRunning = (stateFolder: string): Problem =>
  problem('CONTROLLER_NOT_RUNNING', {
    message: `No controller runs for ${stateFolder}.`,
    remedy: 'Start it with `sluice up`. Traffic does not need it.',
    retryable: true,
  })

const unreachable = (socketPath: string, cause: string): Problem =>
  problem('CONTROLLER_UNREACHABLE', {
    message: `The controller did not answer on ${socketPath}.`,
    cause,
    remedy:
      'Start it with `sluice up`; if that does not help, run `sluice doctor`. Traffic flows without it.',
    retryable: true,
  })

const misunderstood = (operation: string, cause: string): Problem =>
  problem('CONTROLLER_SPEAKS_OTHERWISE', {
    message: `The controller's answer to ${operation} cannot be read.`,
    cause,
    remedy:
      'The controller is probably of another version: run `sluice down --controller-only`, then `sluice up`.',
  })
