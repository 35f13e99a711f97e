import type { IncomingHttpHeaders } from 'node:http'

/**
 * A request of a user that is copied to a shadow, as the visit of the user tells about it. Whoever is told never answers,
 * never throws and never holds anything up: the visit goes on as if nobody listened.
 */
export type Copied = {
  /** A piece of the body on its way to the instance. */
  take(chunk: Buffer): void
  /** The request is complete. */
  ask(): void
  userBegan(status: number, headers: IncomingHttpHeaders): void
  userData(chunk: Buffer): void
  /** The instance has answered completely. */
  userEnded(): void
  /** The instance failed the user. */
  userFailed(): void
  /** Without a whole answer: there is nothing to compare with. */
  userLeft(): void
}
