import { type IncomingMessage, request } from 'node:http'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { Exposition } from '../../telemetry/exposition.ts'

/** A part answers from memory; a scraper gives up after ten seconds by default. */
const TIMEOUT_MS = 5000
/** Thousands of services with two versions each; more is not one of ours. */
const MOST_BYTES = 32 * 1024 * 1024

/** Asks proxy or agent for its numbers, over its private socket. */
export async function scrapePart(
  part: 'proxy' | 'agent',
  socketPath: string,
  accept: string,
): Promise<Result<Exposition>> {
  try {
    const answer = await ask(socketPath, accept)
    const text = await textOf(answer)
    if (answer.statusCode !== 200) return failed(unavailable(part, `it answered ${answer.statusCode}`))
    return ok({ contentType: answer.headers['content-type'] ?? 'text/plain', text })
  } catch (error) {
    return failed(unavailable(part, error instanceof Error ? error.message : String(error)))
  }
}

/** On a connection of its own: the part may have been started anew since the last scrape. */
function ask(socketPath: string, accept: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const call = request({ socketPath, path: '/metrics', agent: false, signal, headers: { accept } }, resolve)
    call.on('error', reject)
    call.end()
  })
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) {
    text += chunk
    if (text.length > MOST_BYTES) throw new Error(`the answer is larger than ${MOST_BYTES} bytes`)
  }
  return text
}

const unavailable = (part: string, cause: string) =>
  problem('METRICS_UNAVAILABLE', {
    message: `The ${part} gives no numbers: ${cause}.`,
    remedy: `Look at /readyz and at ${part}.log. The controller starts a part again that is gone.`,
    retryable: true,
  })
