import type { Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContext, TlsOptions } from 'node:tls'
import { answerSocket, refusal } from '../refusal.ts'

/** Whose certificate a client is shown, by the name it asks for; '' when it names none. */
export type CertificateFor = (serverName: string) => SecureContext | null

/** TLS 1.2 and later with the ciphers of Node; HTTP/1.1 is all that is spoken inside. */
export const secureOptions = (contextFor: CertificateFor, handshakeTimeoutMs: number): TlsOptions => ({
  minVersion: 'TLSv1.2',
  ALPNProtocols: ['http/1.1'],
  handshakeTimeout: handshakeTimeoutMs,
  SNICallback: (name, done) => {
    const context = contextFor(name)
    if (context === null) done(new Error('no certificate'))
    else done(null, context)
  },
})

/** The first byte of every TLS connection: a record that holds a handshake. */
const HANDSHAKE = 22

/**
 * Looks at the first byte of a connection before TLS does, so that whoever speaks plain HTTP is told what is wrong. A
 * connection that says nothing is closed after the time of a handshake.
 */
export function guardDoor(server: SecureServer, handshakeTimeoutMs: number): void {
  const [handshake] = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const timer = setTimeout(() => socket.destroy(), handshakeTimeoutMs)
    socket.once('close', () => clearTimeout(timer))
    socket.on('error', ignore)
    socket.once('readable', () => {
      clearTimeout(timer)
      const first: unknown = socket.read()
      if (!Buffer.isBuffer(first)) {
        socket.destroy()
        return
      }
      socket.unshift(first)
      socket.off('error', ignore)
      if (first[0] === HANDSHAKE) handshake?.call(server, socket)
      else refusePlain(socket)
    })
  })
}

function refusePlain(socket: Socket): void {
  socket.on('error', ignore)
  socket.resume()
  answerSocket(
    socket,
    refusal(400, 'TLS_EXPECTED', 'This address speaks TLS.', 'Write https:// in front of it.'),
  )
}

const ignore = (): void => undefined
