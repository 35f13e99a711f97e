import { type Problem, problem } from '../../../core/shared/problem.ts'
import { failed, type Result } from '../../../core/shared/result.ts'
import type { Address } from './address.ts'
import { DamagedRowError } from './rows.ts'

/** Said by `pg` itself, without any code: the connection is gone, or an answer did not come in time. */
const CONNECTION_LOST =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|The server closed the connection)/
const NETWORK =
  /^(ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL|ENOENT|EACCES)$/
const TLS = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/

/** SQLSTATE, by how it begins (https://www.postgresql.org/docs/current/errcodes-appendix.html). The first that fits counts. */
const BY_STATE: readonly (readonly [RegExp, (address: Address, cause: string) => Problem])[] = [
  [/^(40|23505)/, raced],
  [/^53100/, full],
  // Lost, shut down, starting up, too many connections, out of memory, over a time limit, or a standby that cannot write.
  [/^(08|53|57|55P03|25006|25P0[34]|58)/, (address, cause) => unreachable(address, cause)],
  [/^28P01/, (address, cause) => denied(address, cause, 'Check user and password in the address.')],
  [/^28/, (address, cause) => denied(address, cause, 'Allow this user in pg_hba.conf of the server.')],
  [
    /^42501/,
    (address, cause) =>
      denied(address, cause, `Give the user the right to create and use ${address.schema}.`),
  ],
  [/^3D000/, unknownDatabase],
  [/^(XX00[12]|42P01|42703|3F000)/, (address, cause) => corrupt(address, cause)],
]

/** Runs work on the server; what `pg` throws becomes a `Problem`, what is a bug is thrown on. */
export async function guarded<T>(address: Address, run: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await run()
  } catch (error) {
    return failed(problemFrom(address, error))
  }
}

export function problemFrom(address: Address, error: unknown): Problem {
  if (error instanceof DamagedRowError) return corrupt(address, error.message)
  if (!(error instanceof Error)) throw error
  const cause = address.hide(causeOf(error))
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (isServerError(error)) return fromState(address, { code, cause: `${cause} (SQLSTATE ${code})` })
  if (TLS.test(code) || /SSL|TLS/.test(error.message)) return tlsFailed(address, cause)
  if (NETWORK.test(code) || CONNECTION_LOST.test(error.message)) return unreachable(address, cause)
  if (/^(SASL|Unknown authenticationOk)/.test(error.message))
    return denied(address, cause, 'Check user and password in the address.')
  if (/after calling end/.test(error.message)) return closed(address)
  throw error
}

/** The server answered in words of its own, so what was asked was refused as a whole and is not half done. */
export const isServerError = (error: unknown): boolean =>
  error instanceof Error && 'severity' in error && 'code' in error

function fromState(address: Address, { code, cause }: { code: string; cause: string }): Problem {
  const known = BY_STATE.find(([state]) => state.test(code))
  if (known !== undefined) return known[1](address, cause)
  return problem('STORE_SERVER_REFUSED', {
    message: `The store ${address.name} refused a statement: ${cause}.`,
    cause,
    remedy: 'Look into the log of the PostgreSQL server.',
  })
}

/** Several addresses of one name fail together; then the message is in the parts. */
function causeOf(error: Error): string {
  const parts = error instanceof AggregateError ? error.errors : []
  const [first] = parts
  return error.message === '' && first instanceof Error ? first.message : error.message
}

export function unreachable(address: Address, cause: string): Problem {
  return problem('STORE_UNREACHABLE', {
    message: `The store ${address.name} does not answer, or not in time: ${cause}.`,
    cause,
    remedy:
      'Check that the PostgreSQL server runs, accepts writes and can be reached. Sluice goes on by itself.',
    retryable: true,
  })
}

/** The caller's retry is safe: it is based on a revision that has moved if the change was made. */
export function answerLost(address: Address, cause: string): Problem {
  return problem('STORE_UNREACHABLE', {
    message: `The store ${address.name} was lost while it committed, so it is not known whether the change was made: ${cause}.`,
    cause,
    remedy: 'Load the stream again and decide again.',
    retryable: true,
  })
}

function full(address: Address, cause: string): Problem {
  return problem('STORE_FULL', {
    message: `There is no space left on the disk of the store ${address.name}: ${cause}. The change was not made.`,
    cause,
    remedy: 'Free some space on the PostgreSQL server. Sluice goes on by itself.',
    retryable: true,
  })
}

function denied(address: Address, cause: string, remedy: string): Problem {
  return problem('STORE_DENIED', {
    message: `The store ${address.name} denied access: ${cause}.`,
    cause,
    remedy,
  })
}

function unknownDatabase(address: Address, cause: string): Problem {
  return problem('STORE_UNKNOWN_DATABASE', {
    message: `The server of ${address.name} has no such database: ${cause}.`,
    cause,
    remedy: 'Create the database, or correct the name at the end of the address.',
  })
}

function tlsFailed(address: Address, cause: string): Problem {
  return problem('STORE_TLS_FAILED', {
    message: `No encrypted connection to the store ${address.name} could be made: ${cause}.`,
    cause,
    remedy: 'Check sslmode and sslrootcert in the address, and the certificate of the server.',
  })
}

function corrupt(address: Address, cause: string): Problem {
  return problem('STORE_CORRUPT', {
    message: `The tables in schema ${address.schema} of ${address.name} are damaged: ${cause}.`,
    cause,
    remedy:
      'Restore a copy: sluice restore FILE. The damaged tables are kept aside. Sluice changed nothing so far.',
  })
}

export function newerFormat(address: Address, formats: { found: number; known: number }): Problem {
  return problem('STORE_NEWER_FORMAT', {
    message: `The tables in schema ${address.schema} of ${address.name} have format ${formats.found}. This version of Sluice knows formats up to ${formats.known}.`,
    remedy: 'Start the newer version of Sluice that wrote them. Nothing was changed.',
  })
}

export function oldServer(address: Address, versions: { found: string; needed: number }): Problem {
  return problem('STORE_OLD_SERVER', {
    message: `The server of ${address.name} is PostgreSQL ${versions.found}. Sluice needs version ${versions.needed} or later.`,
    remedy: `Use a PostgreSQL server of version ${versions.needed} or later.`,
  })
}

export function notJoined(address: Address): Problem {
  return problem('STORE_FENCED', {
    message: `This process is no controller of the store ${address.name}, so it may not write to it.`,
    remedy: 'Start a controller; whoever has not joined may only read.',
  })
}

function raced(address: Address, cause: string): Problem {
  return problem('STORE_CONFLICT', {
    message: `Somebody else wrote to the store ${address.name} at the same moment: ${cause}.`,
    cause,
    remedy: 'Load the stream again and decide again.',
    retryable: true,
  })
}

export function closed(address: Address): Problem {
  return problem('STORE_CLOSED', {
    message: `The store ${address.name} was already closed by this process.`,
    remedy: 'Start the controller again.',
  })
}
