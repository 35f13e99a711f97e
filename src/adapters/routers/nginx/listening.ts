import { createServer } from 'node:net'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import { type Problem, problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import { listenFailed } from '../../../core/shared/route-problems.ts'

/**
 * Can a program of this user listen there? Tried, and let go of at once: with a port that is taken nginx would keep its
 * old configuration for all services. Answers with the port, which the system chooses for 0.
 */
export function tryListen({ host, port }: ListenAddress): Promise<Result<number>> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error) => resolve(failed(listenFailed({ host, port }, error))))
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address()
      const found = address !== null && typeof address === 'object' ? address.port : port
      server.close(() => resolve(ok(found)))
    })
  })
}

/** Both would get requests of one address; nginx would give all of them to the first without a word. */
export const takenBy = ({ host, port }: ListenAddress, other: string): Problem =>
  problem('LISTEN_FAILED', {
    message: `Cannot listen on ${host}:${port}: ${other} listens there.`,
    remedy: 'Choose another address under "listen" for one of the two.',
  })

/** An address of all interfaces is in the way of each of them. */
export const collide = (one: ListenAddress, other: ListenAddress): boolean =>
  one.port === other.port &&
  (one.host === other.host || [one.host, other.host].some((host) => host === '0.0.0.0' || host === '::'))
