import { type Problem, problem } from '../../core/shared/problem.ts'

/** `what` is for messages, after "the engine could not"; `certificates` is the folder that TLS is spoken from, if it is. */
export type AskedEngine = { what: string; where: string; certificates: string | null }

/** Nobody answers, or not somebody who can be trusted: what waits for the engine waits on. */
const AWAY: ReadonlySet<string> = new Set([
  'DOCKER_UNREACHABLE',
  'DOCKER_SLOW',
  'DOCKER_CERTIFICATE_UNREADABLE',
  'DOCKER_CERTIFICATE_UNTRUSTED',
  'DOCKER_CERTIFICATE_REFUSED',
  'DOCKER_TLS_MISMATCH',
])
export const isEngineAway = ({ code }: Pick<Problem, 'code'>): boolean => AWAY.has(code)

/** Somebody may have put other certificates into the folder since they were read. */
export const isAboutTls = ({ code }: Pick<Problem, 'code'>): boolean =>
  code.startsWith('DOCKER_CERTIFICATE_') || code === 'DOCKER_TLS_MISMATCH'

/**
 * What a call to the engine threw, as a problem: an answer has a `statusCode`, a connection that failed a `code` of the
 * system, of TLS or of HTTP. `null` for all else: that is a bug of ours, and no word about the engine.
 */
export function engineProblem(error: unknown, asked: AskedEngine): Problem | null {
  const status = valueIn(error, 'statusCode')
  if (typeof status === 'number') return answered(status, saidBy(error), asked)
  const code = valueIn(error, 'code')
  return typeof code === 'string' && error instanceof Error ? notConnected(code, error, asked) : null
}

/** Go's server says so to whoever asks it without TLS. */
const WANTS_TLS = /HTTP request to an HTTPS server/i

function answered(status: number, cause: string, asked: AskedEngine): Problem {
  const message = `the Docker Engine could not ${asked.what}: ${cause}`
  if (WANTS_TLS.test(cause)) return tlsMismatch(asked, cause)
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

/** Of libuv (ECONNREFUSED), of Node's parser of HTTP, of OpenSSL, and of a connection that was cut. */
const OF_CONNECTIONS = /^(E[A-Z0-9]+|HPE_\w+|ERR_SSL_.+|ERR_TLS_\w+|ERR_STREAM_PREMATURE_CLOSE)$/
/** What Node says about a certificate that it does not accept ("X509 certificate error codes" of its documentation). */
const UNTRUSTED =
  /^(UNABLE_TO_|CERT_|CRL_|ERROR_IN_C|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|INVALID_|PATH_LENGTH_|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME_INVALID)/

function notConnected(code: string, error: Error, asked: AskedEngine): Problem | null {
  // Node gives each address that was tried an error of its own, and the whole no words.
  const cause = error.message === '' ? code : error.message
  if (code.startsWith('ERR_OSSL_')) return unreadable(asked, cause)
  if (UNTRUSTED.test(code)) return untrusted(code, asked, cause)
  if (!OF_CONNECTIONS.test(code)) return null
  if (/alert/i.test(`${code} ${cause}`)) return refusedOurs(asked, cause)
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return tlsMismatch(asked, cause)
  return unreachable(asked, cause)
}

function untrusted(code: string, { where, what, certificates }: AskedEngine, cause: string): Problem {
  return problem('DOCKER_CERTIFICATE_UNTRUSTED', {
    message: `the Docker Engine at ${where} was not asked to ${what}: ${WHY.get(code) ?? `its certificate is not from the authority in ${certificates}/ca.pem`}`,
    cause,
    remedy: `${REMEDY.get(code) ?? `Put the certificate of the authority that signed the engine's into ${certificates}/ca.pem.`} It is read again with the next question. Containers run on meanwhile.`,
    retryable: true,
  })
}

const WHY = new Map([
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name or address'],
])
const REMEDY = new Map([
  [
    'CERT_HAS_EXPIRED',
    'Give the engine a new one (tlscert in its daemon.json) and restart it; see also whether the clock of this machine is right.',
  ],
  ['CERT_NOT_YET_VALID', 'See whether the clocks of both machines are right: timedatectl.'],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'Name the engine in DOCKER_HOST as its certificate does, or give it one with this name or address among its alternative names.',
  ],
])

const refusedOurs = ({ where, what, certificates }: AskedEngine, cause: string): Problem =>
  problem('DOCKER_CERTIFICATE_REFUSED', {
    message: `the Docker Engine at ${where} did not ${what}: it does not accept the certificate of this client, or got none`,
    cause,
    remedy: `Put cert.pem and key.pem into ${certificates}, signed by the authority that the engine knows (tlscacert in its daemon.json) and not expired. They are read again with the next question.`,
    retryable: true,
  })

const tlsMismatch = ({ where, certificates }: AskedEngine, cause: string): Problem =>
  problem('DOCKER_TLS_MISMATCH', {
    message:
      certificates === null
        ? `the Docker Engine at ${where} speaks TLS, and was asked without`
        : `what listens at ${where} does not speak TLS, and was asked with it`,
    cause,
    remedy:
      certificates === null
        ? 'Set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH for the agent, then restart it: sluice down --controller-only, end the agent, sluice up. Containers run on.'
        : 'Name the port with TLS in DOCKER_HOST (2376 by convention) and start the engine with --tlsverify. Never open one without: whoever reaches it is root there.',
    retryable: true,
  })

const unreadable = ({ certificates }: AskedEngine, cause: string): Problem =>
  problem('DOCKER_CERTIFICATE_UNREADABLE', {
    message: `the certificates for the Docker Engine in ${certificates} cannot be used`,
    cause,
    remedy:
      'Put ca.pem, cert.pem and the key.pem that belongs to it there, each in PEM and without a password. They are read again with the next question.',
    retryable: true,
  })

export const slow = ({ what, where }: Pick<AskedEngine, 'what' | 'where'>, limitMs: number): Problem =>
  problem('DOCKER_SLOW', {
    message: `the Docker Engine at ${where} did not ${what} within ${limitMs / 1000} s`,
    remedy: 'What was asked for may still happen. See whether the engine is busy or stuck: docker ps.',
    retryable: true,
  })

export function unreachable({ what, where }: Pick<AskedEngine, 'what' | 'where'>, cause: string): Problem {
  const isForbidden = /\b(EACCES|EPERM)\b/.test(cause)
  return problem('DOCKER_UNREACHABLE', {
    message: `the Docker Engine at ${where} cannot be asked to ${what}`,
    cause,
    remedy: isForbidden
      ? 'Give the user of the agent the right to use it: usermod -aG docker USER; then restart the agent.'
      : 'Containers run on without it. Start it: systemctl start docker. Where it listens elsewhere, set DOCKER_HOST for the agent.',
    retryable: true,
  })
}

/** `(HTTP code 404) no such container - No such image: shop:1 ` becomes the words of the engine. */
function saidBy(error: unknown): string {
  const json = valueIn(error, 'json')
  const message = valueIn(json, 'message')
  if (typeof message === 'string' && message.trim() !== '') return message.trim()
  // What is not JSON is no word of the engine's API, but it may say who answered.
  return Buffer.isBuffer(json) && json.length > 0 ? json.toString('utf8').trim().slice(0, 500) : String(error)
}

function valueIn(of: unknown, key: 'statusCode' | 'code' | 'json' | 'message'): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, key) : undefined
}
