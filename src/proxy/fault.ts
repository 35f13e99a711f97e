import { errors } from 'undici'

/** Errors of connections that were never established: nothing was sent. */
export const connectFaults = new WeakSet<Error>()
/** Errors of connections that had carried an answer before: the instance may just have closed an idle one. */
export const reusedFaults = new WeakSet<Error>()

/** Why a request to an instance failed. */
export type Fault = 'connect' | 'connect-timeout' | 'reused' | 'invalid' | 'reset'

export function faultOf(error: Error): Fault {
  if (connectFaults.has(error)) return isConnectTimeout(error) ? 'connect-timeout' : 'connect'
  if (reusedFaults.has(error)) return 'reused'
  if (error instanceof errors.SocketError && (error.socket?.bytesRead ?? 0) > 0) return 'reused'
  if (error instanceof errors.InvalidArgumentError || error instanceof errors.NotSupportedError)
    return 'invalid'
  if (error instanceof errors.RequestContentLengthMismatchError) return 'invalid'
  return 'reset'
}

function isConnectTimeout(error: Error): boolean {
  return error instanceof errors.ConnectTimeoutError || ('code' in error && error.code === 'ETIMEDOUT')
}
