import http from 'node:http'
import https from 'node:https'
import type Dockerode from 'dockerode'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { type EngineAddress, engineAddress, showAddress } from './engine-address.ts'

/** The engine answers most questions from memory. */
export const ASK_LIMIT_MS = 10_000

export type EngineCall = {
  /** For messages, after "the engine could not": `start container shop-3f9a`. */
  what: string
  limitMs?: number
}

/**
 * The Docker Engine, asked over its API. Every call has a deadline, and every failure is a problem:
 * DOCKER_UNREACHABLE, DOCKER_SLOW, DOCKER_NOT_FOUND (404), DOCKER_CONFLICT (409), DOCKER_REFUSED (other 4xx),
 * DOCKER_FAILED (5xx). What the engine itself said is the problem's `cause`.
 *
 * @example await engine.ask({ what: 'look at image shop' }, (docker) => docker.getImage('shop').inspect())
 */
export type Engine = {
  /** For messages: a path of a socket, or host:port. */
  where: string
  /** It runs on this machine: pids, folders and addresses are ours, too. */
  isLocal: boolean
  /**
   * The deadline is for the beginning of the answer and, unless it is a stream, for all of it. A stream lives until somebody
   * destroys it.
   */
  ask<T>(call: EngineCall, work: (docker: Dockerode) => Promise<T>): Promise<Result<T>>
}

/** Nothing is loaded or asked before the first question. */
export function createEngine(env: NodeJS.ProcessEnv): Engine {
  const address = engineAddress(env)
  const where = address.kind === 'ok' ? showAddress(address.value) : (env.DOCKER_HOST ?? '')
  const clients = new Map<number, Promise<Dockerode>>()

  function client(to: EngineAddress, limitMs: number): Promise<Dockerode> {
    const known = clients.get(limitMs) ?? connectTo(to, limitMs)
    clients.set(limitMs, known)
    return known
  }

  async function ask<T>(
    { what, limitMs = ASK_LIMIT_MS }: EngineCall,
    work: (docker: Dockerode) => Promise<T>,
  ): Promise<Result<T>> {
    if (address.kind === 'failed') return address
    const begun = performance.now()
    let timer: NodeJS.Timeout | undefined
    try {
      const docker = await client(address.value, limitMs)
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('the deadline has passed')), limitMs)
      })
      return ok(await Promise.race([work(docker), late]))
    } catch (error) {
      const isLate = performance.now() - begun >= limitMs
      return failed(isLate ? slow({ what, where, limitMs }) : problemOf(error, { what, where }))
    } finally {
      clearTimeout(timer)
    }
  }
  return { where, isLocal: address.kind === 'ok' && address.value.kind === 'socket', ask }
}

/** A client gives up a request whose answer does not begin in time; its own reading of the environment is overruled. */
async function connectTo(address: EngineAddress, limitMs: number): Promise<Dockerode> {
  const { default: Docker } = await import('dockerode')
  const { Agent } = address.kind === 'tcp' && address.tls !== null ? https : http
  // A connection for each call. One that was kept is dead after a restart of the engine, and one that ends goes on to answer
  // on it although it takes nobody else any more.
  const agent = new Agent({ keepAlive: false })
  return new Docker({ ...placeOf(address), ...{ agent, connectionTimeout: limitMs } })
}

function placeOf(address: EngineAddress): Dockerode.DockerOptions {
  if (address.kind === 'socket') return { socketPath: address.path, host: undefined }
  const { host, port, tls } = address
  return { host, port, protocol: tls === null ? 'http' : 'https', ...tls }
}

type Asked = { what: string; where: string }

/** What dockerode throws: an error with `statusCode` for an answer, one with a system `code` where there was none. */
function problemOf(error: unknown, { what, where }: Asked): Problem {
  const status = numberIn(error, 'statusCode')
  if (status === null) return unreachable({ what, where }, error)
  const cause = saidBy(error)
  const message = `the Docker Engine could not ${what}: ${cause}`
  if (status === 404)
    return problem('DOCKER_NOT_FOUND', {
      message,
      cause,
      remedy: 'Somebody may have removed it: docker ps -a.',
    })
  if (status === 409)
    return problem('DOCKER_CONFLICT', { message, cause, remedy: 'See what holds it: docker ps -a.' })
  if (status < 500)
    return problem('DOCKER_REFUSED', {
      message,
      cause,
      remedy: 'Change what the engine names, and try again.',
    })
  return problem('DOCKER_FAILED', {
    message,
    cause,
    remedy: 'See the log of the engine: journalctl -u docker.',
    retryable: true,
  })
}

const slow = ({ what, where, limitMs }: Asked & { limitMs: number }): Problem =>
  problem('DOCKER_SLOW', {
    message: `the Docker Engine at ${where} did not ${what} within ${limitMs / 1000} s`,
    remedy: 'What was asked for may still happen. See whether the engine is busy or stuck: docker ps.',
    retryable: true,
  })

function unreachable({ what, where }: Asked, error: unknown): Problem {
  const isForbidden = /\b(EACCES|EPERM)\b/.test(String(error))
  return problem('DOCKER_UNREACHABLE', {
    message: `the Docker Engine at ${where} cannot be asked to ${what}`,
    cause: error instanceof Error ? error.message : String(error),
    remedy: isForbidden
      ? 'Give the user of the agent the right to use it: usermod -aG docker USER; then restart the agent.'
      : 'Containers run on without it. Start it: systemctl start docker. Where it listens elsewhere, set DOCKER_HOST for the agent.',
    retryable: true,
  })
}

/** `(HTTP code 404) no such container - No such image: shop:1 ` becomes the words of the engine. */
function saidBy(error: unknown): string {
  const json = typeof error === 'object' && error !== null && 'json' in error ? error.json : null
  const said = typeof json === 'object' && json !== null && 'message' in json ? json.message : null
  return typeof said === 'string' && said.trim() !== '' ? said.trim() : String(error)
}

function numberIn(error: unknown, key: 'statusCode'): number | null {
  const value = typeof error === 'object' && error !== null && key in error ? error[key] : null
  return typeof value === 'number' ? value : null
}
