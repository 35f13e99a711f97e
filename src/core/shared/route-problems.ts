import type { ListenAddress } from './listen-address.ts'
import { type Problem, problem } from './problem.ts'
import type { FencingToken } from './token.ts'

// What every data plane says in the same words, whoever runs it.

const words = ({ epoch, sequence }: FencingToken): string => `epoch ${epoch}, sequence ${sequence}`

export const staleToken = (service: string, token: FencingToken, highest: FencingToken) =>
  problem('STALE_TOKEN', {
    message: `The change of ${service} carries ${words(token)}, but ${words(highest)} was seen already.`,
    remedy: 'Another controller has taken over. Stop this one, or let it take ownership again.',
  })

export const tokenReused = (service: string, token: FencingToken) =>
  problem('TOKEN_REUSED', {
    message: `Another change of ${service} already carried ${words(token)}.`,
    remedy: 'Give every change a sequence of its own. Read the state to see what is in force.',
  })

export const routesNotSaved = (folder: string, cause: string) =>
  problem('ROUTES_NOT_SAVED', {
    message: `The routes cannot be written to ${folder}. Nothing was changed.`,
    cause,
    remedy: 'Look at the free space and the owner of this folder, then try again.',
    retryable: true,
  })

export const notFollowed = (pid: number) =>
  problem('ROUTES_NOT_FOLLOWED', {
    message: `Another process of the proxy (pid ${pid}) serves connections that it has, and has not taken over the change yet.`,
    remedy: 'Nothing: the change is asked for again, and a process that hangs is ended after a while.',
    retryable: true,
  })

export const listenFailed = ({ host, port }: ListenAddress, error: NodeJS.ErrnoException) =>
  problem('LISTEN_FAILED', {
    message: `Cannot listen on ${host}:${port}: ${error.code ?? error.message}.`,
    cause: error.message,
    remedy:
      error.code === 'EADDRINUSE'
        ? `Stop the program that uses port ${port}, or choose another address under "listen".`
        : 'Choose an address of this machine under "listen", and a port this user may use.',
  })

export const otherSpeech = (address: string, isSecure: boolean): Problem =>
  problem('TLS_CHANGED_IN_PLACE', {
    message: `${address} speaks ${isSecure ? 'TLS' : 'plain HTTP'} already, and cannot speak both.`,
    remedy: 'Give services with TLS and those without it ports of their own ("listen").',
  })

export const entryTaken = (
  service: string,
  { other, why, address }: { other: string; why: string; address: string },
): Problem =>
  problem('ENTRY_TAKEN', {
    message: `${service} and ${other} cannot share ${address}: ${why}.`,
    remedy: 'Give each service hosts or paths of its own, or a port of its own.',
  })
