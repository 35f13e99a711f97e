import { lookup } from 'node:dns/promises'
import http from 'node:http'
import https from 'node:https'
import { inspect } from 'node:util'
import type Dockerode from 'dockerode'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { type EngineAddress, engineAddress, isThisMachine, showAddress } from './engine-address.ts'
import { engineProblem, isAboutTls, slow, unreachable } from './engine-problem.ts'

/** The engine answers most questions from memory. */
export const ASK_LIMIT_MS = 10_000

export type EngineCall = {
  /** For messages, after "the engine could not": `start container shop-3f9a`. */
  what: string
  limitMs?: number
}

/**
 * The Docker Engine, asked over its API. Every call has a deadline, and every failure is a problem:
 * DOCKER_UNREACHABLE, DOCKER_SLOW, those of TLS (DOCKER_CERTIFICATE_..., DOCKER_TLS_MISMATCH), DOCKER_NOT_FOUND (404),
 * DOCKER_CONFLICT (409), DOCKER_REFUSED (other 4xx), DOCKER_FAILED (5xx). What the engine itself said is its `cause`.
 *
 * @example await engine.ask({ what: 'look at image shop' }, (docker) => docker.getImage('shop').inspect())
 */
export type Engine = {
  /** For messages: a path of a socket, or host:port. */
  where: string
  /** It runs on this machine: pids, folders and addresses are ours, too. */
  isLocal: boolean
  /** The address of its machine at which ports of containers are published for us: 127.0.0.1, unless it is another one. */
  publishesAt(): Promise<Result<string>>
  /**
   * The deadline is for the beginning of the answer and, unless it is a stream, for all of it. A stream lives until somebody
   * destroys it.
   *
   * @throws what is a bug: an error of `work` that no connection and no answer made.
   */
  ask<T>(call: EngineCall, work: (docker: Dockerode) => Promise<T>): Promise<Result<T>>
}

const OWN_HOST = '127.0.0.1'
const LATE = Symbol('the deadline has passed')

/** Nothing is loaded or asked before the first question. */
export function createEngine(env: NodeJS.ProcessEnv): Engine {
  let address = engineAddress(env)
  let clients = new Map<number, Promise<Dockerode>>()
  const first = address.kind === 'ok' ? address.value : null
  const where = first === null ? (env.DOCKER_HOST ?? '') : showAddress(first)

  /** TLS failed with the certificates that were read: until the next question they may be put right, or renewed. */
  let isDoubtful = false

  function readAgain(): void {
    isDoubtful = false
    address = engineAddress(env)
    clients = new Map()
  }

  function client(to: EngineAddress, limitMs: number): Promise<Dockerode> {
    const known = clients.get(limitMs) ?? connectTo(to, limitMs)
    clients.set(limitMs, known)
    return known
  }

  async function ask<T>(
    { what, limitMs = ASK_LIMIT_MS }: EngineCall,
    work: (docker: Dockerode) => Promise<T>,
  ): Promise<Result<T>> {
    if (address.kind === 'failed' || isDoubtful) readAgain()
    if (address.kind === 'failed') return address
    const to = address.value
    const begun = performance.now()
    let timer: NodeJS.Timeout | undefined
    try {
      const docker = await client(to, limitMs)
      const late = new Promise<typeof LATE>((resolve) => {
        timer = setTimeout(() => resolve(LATE), limitMs)
      })
      const done = await Promise.race([work(docker), late])
      return done === LATE ? failed(slow({ what, where }, limitMs)) : ok(done)
    } catch (error) {
      const certificates = to.kind === 'tcp' ? (to.tls?.folder ?? null) : null
      const found = engineProblem(error, { what, where, certificates })
      if (found === null) throw error
      isDoubtful ||= isAboutTls(found)
      const isLate = found.code === 'DOCKER_UNREACHABLE' && performance.now() - begun >= limitMs
      return failed(isLate ? slow({ what, where }, limitMs) : found)
    } finally {
      clearTimeout(timer)
    }
  }
  return {
    where,
    isLocal: first?.kind === 'socket',
    publishesAt: () => (address.kind === 'ok' ? publishesAt(address.value, where) : Promise.resolve(address)),
    ask,
  }
}

/** By number: the engine binds to it, and everybody who asks an instance does so without looking it up. */
async function publishesAt(address: EngineAddress, where: string): Promise<Result<string>> {
  if (address.kind === 'socket' || isThisMachine(address.host)) return ok(OWN_HOST)
  try {
    return ok((await lookup(address.host)).address)
  } catch (error) {
    return failed(unreachable({ what: 'publish a port', where }, String(error)))
  }
}

/** A client gives up a request whose answer does not begin in time; its own reading of the environment is overruled. */
async function connectTo(address: EngineAddress, limitMs: number): Promise<Dockerode> {
  const { default: Docker } = await import('dockerode')
  const { Agent } = address.kind === 'tcp' && address.tls !== null ? https : http
  // A connection for each call. One that was kept is dead after a restart of the engine, and one that ends goes on to answer
  // on it although it takes nobody else any more.
  const agent = briefly(new Agent({ keepAlive: false }))
  const options = { ...placeOf(address), agent, connectionTimeout: limitMs }
  return withoutOwnHost(() => new Docker(options))
}

/**
 * The library describes each request for its log, agent and all open connections included, also where nobody reads it: with
 * the output of 20 containers open that took 67 ms of CPU a question, with that of 200 more than 20 s.
 */
function briefly<T extends object>(agent: T): T {
  return Object.defineProperty(agent, inspect.custom, { value: () => 'agent' })
}

/** Where DOCKER_HOST is set, the library reads certificates by itself while it is made, and fails where one is missing. */
function withoutOwnHost<T>(make: () => T): T {
  const { DOCKER_HOST } = process.env
  delete process.env.DOCKER_HOST
  try {
    return make()
  } finally {
    if (DOCKER_HOST !== undefined) process.env.DOCKER_HOST = DOCKER_HOST
  }
}

function placeOf(address: EngineAddress): Dockerode.DockerOptions {
  if (address.kind === 'socket') return { socketPath: address.path, host: undefined }
  const { host, port, tls } = address
  const own = tls?.own ?? null
  const protocol = tls === null ? 'http' : 'https'
  return { host, port, protocol, ca: tls?.ca, cert: own?.cert, key: own?.key }
}
