import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import { type Agent, buildConnector } from 'undici'
import type { LocalWay } from '../../core/shared/local-url.ts'

/**
 * Connects to our own data plane on this host under the name that users know. Its certificate must be for that name and
 * in its time; who signed it is for users to trust, and this machine may not know them.
 */
export function localConnector({ connect: near, name }: LocalWay): NonNullable<Agent.Options['connect']> {
  const connect = buildConnector({ rejectUnauthorized: false })
  return (options, done) =>
    connect({ ...options, hostname: near, servername: name ?? '' }, (error, socket) => {
      if (error !== null) return done(error, null)
      const wrong = socket instanceof TLSSocket ? wrongIn(socket, name) : null
      if (wrong === null) return done(null, socket)
      socket.destroy()
      return done(new Error(wrong), null)
    })
}

function wrongIn(socket: TLSSocket, name: string | null): string | null {
  // A resumed session shows no certificate again: it was looked at before.
  const certificate = socket.isSessionReused() ? undefined : socket.getPeerX509Certificate()
  if (certificate === undefined) return null
  if (Date.parse(certificate.validTo) <= Date.now())
    return `its certificate has expired at ${certificate.validTo}`
  if (name === null || isFor(certificate, name)) return null
  return `its certificate is not for ${name}`
}

const isFor = (certificate: X509Certificate, name: string): boolean => {
  const bare = name.replace(/^\[(.*)\]$/, '$1')
  return (isIP(bare) === 0 ? certificate.checkHost(bare) : certificate.checkIP(bare)) !== undefined
}
