import { isDeepStrictEqual } from 'node:util'
import { formatDuration } from '../../../core/shared/duration.ts'
import { plainText } from '../../../core/shared/redact.ts'
import type { JourneyStep, VerifyCheck } from '../../../core/shared/verification.ts'
import type { HttpAnswer, HttpAnswered, HttpClient, HttpTrouble } from '../../../ports/http.ts'
import type { VerifyRequest } from '../../../ports/verifier.ts'
import { nodesAt } from '../../tools/json-nodes.ts'
import type { Finding, HostVerifierOptions } from './host.ts'

type JourneyCheck = Extract<VerifyCheck, { kind: 'journey' }>
type Captured = Readonly<Record<string, string>>

/** An answer is small; a page that is larger than this is verified by a command. */
const MAX_ANSWER_BYTES = 1_048_576
const EXCERPT_LENGTH = 160

/** Requests one after the other; the first answer that is not as expected ends the journey. */
export async function runJourney(
  { http, now = () => performance.now() }: HostVerifierOptions,
  { request, check }: { request: VerifyRequest; check: JourneyCheck },
  signal: AbortSignal,
): Promise<Finding> {
  const endsAt = now() + check.timeoutMs
  let captured: Captured = {}
  for (const step of check.steps) {
    const leftMs = Math.round(endsAt - now())
    const shown = `${step.method} ${filled(step.path, captured)}`
    if (leftMs <= 0) return failing(`${shown} was not made within the ${formatDuration(check.timeoutMs)}`)
    const began = now()
    const answer = await ask(http, { step, captured, request, leftMs }, signal)
    if (answer.kind !== 'answered') return failing(`${shown} ${troubleText(answer, leftMs)}`)
    const wrong = wrongIn(step, answer, now() - began)
    if (wrong !== null) return failing(`${shown} ${wrong}`)
    const kept = capture(step, answer.body)
    if (kept.kind === 'missing')
      return failing(
        `${shown} has nothing at ${kept.path} to be kept as ${kept.name}: "${excerpt(answer.body)}"`,
      )
    captured = { ...captured, ...kept.values }
  }
  const { length } = check.steps
  return {
    passed: true,
    text: `${length} ${length === 1 ? 'request was' : 'requests were'} answered as expected`,
  }
}

const failing = (text: string): Finding => ({ passed: false, text })

type Asking = { step: JourneyStep; captured: Captured; request: VerifyRequest; leftMs: number }

function ask(
  http: HttpClient,
  { step, captured, request: { url, way, probeKey }, leftMs }: Asking,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { method, path, headers, body } = step
  return http.exchange(
    {
      method,
      url: `${url}${filled(path, captured, encodeURIComponent)}`,
      headers: {
        ...(probeKey === null ? {} : { 'sluice-probe': probeKey }),
        ...Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name, filled(value, captured, oneLine)]),
        ),
      },
      body: body === null ? null : filled(body, captured, insideJson),
      timeoutMs: leftMs,
      maxBytes: MAX_ANSWER_BYTES,
      way,
    },
    signal,
  )
}

const oneLine = (value: string): string => value.replaceAll(/[\r\n]/g, ' ')
/** What came from an answer cannot leave the JSON string it is put into. */
const insideJson = (value: string): string => JSON.stringify(value).slice(1, -1)

const filled = (text: string, captured: Captured, escaped = (value: string) => value): string =>
  text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name) => {
    const value = captured[name]
    return value === undefined ? whole : escaped(value)
  })

function troubleText(answer: HttpTrouble, leftMs: number): string {
  switch (answer.kind) {
    case 'too-large':
      return `answered with more than ${MAX_ANSWER_BYTES} bytes`
    case 'timed-out':
      return `was not answered within ${formatDuration(leftMs)}`
    case 'cancelled':
      return 'was given up, because nobody waits for it any more'
    case 'unreachable':
      return `was not answered: ${answer.reason}`
  }
}

/** What is not as expected, with the values; `null` when all is. */
function wrongIn({ expect }: JourneyStep, { status, body }: HttpAnswered, tookMs: number): string | null {
  const isStatus = expect.status === null ? status >= 200 && status < 300 : status === expect.status
  if (!isStatus) return `answered ${status}, expected ${expect.status ?? 'a 2xx'}: "${excerpt(body)}"`
  if (expect.withinMs !== null && tookMs > expect.withinMs)
    return `took ${Math.round(tookMs)} ms, expected at most ${expect.withinMs} ms`
  const absent = expect.contains.find((part) => !body.includes(part))
  if (absent !== undefined) return `answered without "${absent}": "${excerpt(body)}"`
  for (const { path, equals } of expect.json) {
    const wrong = wrongAt(body, path, equals)
    if (wrong !== null) return wrong
  }
  return null
}

function wrongAt(body: string, path: string, equals: unknown): string | null {
  const document = parsed(body)
  if (document === undefined) return `answered what is no JSON: "${excerpt(body)}"`
  const nodes = nodesAt(document, path)
  if (nodes.kind === 'failed') return `cannot be checked: the path ${path} is wrong (${nodes.problem})`
  const [first, ...others] = nodes.value
  const expected = JSON.stringify(equals)
  if (nodes.value.length === 0) return `answered nothing at ${path}, expected ${expected}: "${excerpt(body)}"`
  if (others.length > 0) return `answered ${nodes.value.length} values at ${path}, expected one: ${expected}`
  return isDeepStrictEqual(first, equals)
    ? null
    : `answered ${excerpt(JSON.stringify(first))} at ${path}, expected ${expected}`
}

type Kept = { kind: 'kept'; values: Captured } | { kind: 'missing'; name: string; path: string }

function capture({ capture: wanted }: JourneyStep, body: string): Kept {
  const document = parsed(body)
  const values: Record<string, string> = {}
  for (const [name, path] of Object.entries(wanted)) {
    const nodes = document === undefined ? null : nodesAt(document, path)
    const [first] = nodes?.kind === 'ok' ? nodes.value : []
    if (first === undefined || first === null) return { kind: 'missing', name, path }
    values[name] = typeof first === 'string' ? first : JSON.stringify(first)
  }
  return { kind: 'kept', values }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const excerpt = (text: string): string => {
  const plain = plainText(text)
  return plain.length > EXCERPT_LENGTH ? `${plain.slice(0, EXCERPT_LENGTH)}...` : plain
}
