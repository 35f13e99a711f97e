import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'

type Tls = { ca: Buffer; cert: Buffer; key: Buffer }

/** Where the engine is: beside us, or on another machine. */
export type EngineAddress =
  | { kind: 'socket'; path: string }
  | { kind: 'tcp'; host: string; port: number; tls: Tls | null }

const USUAL_SOCKET = '/var/run/docker.sock'
/** What engines listen on by convention. */
const PLAIN_PORT = 2375
const TLS_PORT = 2376

/**
 * Reads DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH as the `docker` command does. Contexts of that command are its
 * own: they are not read.
 */
export function engineAddress(env: NodeJS.ProcessEnv): Result<EngineAddress> {
  const text = env.DOCKER_HOST?.trim() ?? ''
  if (text === '') return ok({ kind: 'socket', path: USUAL_SOCKET })
  if (text.startsWith('unix://')) {
    const path = text.slice('unix://'.length)
    return path.startsWith('/') ? ok({ kind: 'socket', path }) : failed(unusable(text))
  }
  const url = URL.parse(text)
  if (url === null || url.protocol !== 'tcp:' || url.hostname === '') return failed(unusable(text))
  const isSecret = (env.DOCKER_TLS_VERIFY ?? '') !== ''
  const tls = isSecret ? readTls(env.DOCKER_CERT_PATH ?? join(env.HOME ?? '/', '.docker')) : ok(null)
  if (tls.kind === 'failed') return tls
  const port = url.port === '' ? (isSecret ? TLS_PORT : PLAIN_PORT) : Number(url.port)
  return ok({ kind: 'tcp', host: url.hostname, port, tls: tls.value })
}

/** For messages. */
export const showAddress = (address: EngineAddress): string =>
  address.kind === 'socket' ? address.path : `${address.host}:${address.port}`

function readTls(folder: string): Result<Tls> {
  try {
    const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFileSync(join(folder, name)))
    if (ca !== undefined && cert !== undefined && key !== undefined) return ok({ ca, cert, key })
    return failed(noCertificate(folder, 'incomplete'))
  } catch (error) {
    return failed(noCertificate(folder, String(error)))
  }
}

const unusable = (text: string): Problem =>
  problem('DOCKER_HOST_UNUSABLE', {
    message: `DOCKER_HOST is "${text}", and the agent understands unix:///path and tcp://host:port`,
    remedy:
      'Set DOCKER_HOST to one of these, or leave it out for /var/run/docker.sock; then restart the agent.',
  })

const noCertificate = (folder: string, cause: string): Problem =>
  problem('DOCKER_CERTIFICATE_UNREADABLE', {
    message: `DOCKER_TLS_VERIFY is set, and ${folder} has no readable ca.pem, cert.pem and key.pem`,
    cause,
    remedy: 'Point DOCKER_CERT_PATH to the folder that has them, readable by the user of the agent.',
  })
