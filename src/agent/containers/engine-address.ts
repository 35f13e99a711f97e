import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'

type Tls = {
  /** Where the files are, for messages. */
  folder: string
  ca: Buffer
  /** `null`: there are none; most engines then refuse. */
  own: { cert: Buffer; key: Buffer } | null
}

/** Where the engine is: beside us, or on another machine. */
export type EngineAddress =
  | { kind: 'socket'; path: string }
  | { kind: 'tcp'; host: string; port: number; tls: Tls | null }

const USUAL_SOCKET = '/var/run/docker.sock'
/** What engines listen on by convention. */
const PLAIN_PORT = 2375
const TLS_PORT = 2376

/**
 * Reads DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH and DOCKER_CONFIG as the `docker` command does. Contexts of that
 * command are its own: they are not read.
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
  const tls = isSecret ? readTls(folderOf(env)) : ok(null)
  if (tls.kind === 'failed') return tls
  const port = url.port === '' ? (isSecret ? TLS_PORT : PLAIN_PORT) : Number(url.port)
  return ok({ kind: 'tcp', host: url.hostname, port, tls: tls.value })
}

/** For messages. */
export const showAddress = (address: EngineAddress): string =>
  address.kind === 'socket' ? address.path : `${address.host}:${address.port}`

/** A name or number by which no other machine is meant; what lies behind a tunnel looks the same, and publishes here, too. */
export const isThisMachine = (host: string): boolean => /^(localhost|127\.[\d.]+|\[?::1\]?)$/i.test(host)

/** What is empty was not said. */
const folderOf = ({ DOCKER_CERT_PATH, DOCKER_CONFIG, HOME }: NodeJS.ProcessEnv): string =>
  DOCKER_CERT_PATH || DOCKER_CONFIG || join(HOME || '/', '.docker')

/** A client without a certificate of its own is one, too: the engine decides whom it answers. */
function readTls(folder: string): Result<Tls> {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  try {
    const own =
      existsSync(cert) || existsSync(key) ? { cert: readFileSync(cert), key: readFileSync(key) } : null
    return ok({ folder, ca: readFileSync(join(folder, 'ca.pem')), own })
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
    message: `DOCKER_TLS_VERIFY is set, and ca.pem, cert.pem or key.pem in ${folder} cannot be read`,
    cause,
    remedy:
      'Put them there, readable by the user of the agent: they are read again with the next question. Or point DOCKER_CERT_PATH to the folder that has them, and restart the agent.',
    retryable: true,
  })
