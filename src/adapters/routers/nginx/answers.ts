import { problem } from '../../../core/shared/problem.ts'
import { quoted } from './words.ts'

/** What nginx answers by itself, with the words of the built-in proxy (`src/proxy`). */
export type OwnAnswer = {
  status: number
  code: string
  message: string
  remedy: string
  retryAfterS?: number
  retryable?: boolean
  /** Added to a text that may hold it: a variable of nginx, and the word that stands for it in `message`. */
  variable?: { word: string; name: string }
}

/** The lines of a location that answers so. Control characters and quotes of a variable must not reach the text. */
export function answerLines({ status, code, retryAfterS, variable, ...said }: OwnAnswer): string[] {
  const { message, remedy, retryable = status >= 500 } = said
  const text = quoted(JSON.stringify(problem(code, { message, remedy, retryable })))
  return [
    '        default_type application/problem+json;',
    ...(retryAfterS === undefined ? [] : [`        add_header retry-after ${retryAfterS} always;`]),
    `        return ${status} ${variable === undefined ? text : text.replace(variable.word, variable.name)};`,
  ]
}

export const tooLarge = (bytes: number): OwnAnswer => ({
  status: 413,
  code: 'BODY_TOO_LARGE',
  message: `The body is larger than ${bytes} bytes.`,
  remedy: 'Send less at once.',
})

export const busy = (service: string, limit: number): OwnAnswer => ({
  status: 503,
  code: 'SERVICE_BUSY',
  message: `${service} works on ${limit} requests, as many as it takes at the same time.`,
  remedy: 'Try again in a second.',
  retryAfterS: 1,
})

export const tooOften = (service: string, perSecond: number): OwnAnswer => {
  // nginx does not say how long the next token takes: this is the longest, and for a rate of one or more just right.
  const retryAfterS = Math.max(1, Math.ceil(1 / perSecond))
  return {
    status: 429,
    code: 'RATE_EXCEEDED',
    message: `${service} takes ${perSecond} requests a second, and there were more.`,
    remedy: `Come back in ${retryAfterS} ${retryAfterS === 1 ? 'second' : 'seconds'}.`,
    retryAfterS,
    retryable: true,
  }
}

const HOST_WORD = 'HOST-OF-THE-REQUEST'
const hostVariable = { word: HOST_WORD, name: `\${sluice_told_host}` }

/** A name that may stand in an answer as it is; absent or odd ones are told without it. */
export const TOLD_HOST =
  'map $http_host $sluice_told_host { default "this host"; "~^[A-Za-z0-9.:_\\[\\]-]{1,253}$" $http_host; }'

export const nobodys = (address: string): OwnAnswer => ({
  status: 404,
  code: 'NO_SUCH_SERVICE',
  message: `No service at ${address} takes this path of ${HOST_WORD}.`,
  remedy: 'Look at the host name and the path; hosts and paths of the services are in the file of Sluice.',
  variable: hostVariable,
})

export const MISDIRECTED: OwnAnswer = {
  status: 421,
  code: 'HOST_MISDIRECTED',
  message: `This connection was opened for another host than ${HOST_WORD}.`,
  remedy: 'Open a connection with the name of the host in the TLS handshake (SNI).',
  variable: hostVariable,
}

export const TLS_EXPECTED: OwnAnswer = {
  status: 400,
  code: 'TLS_EXPECTED',
  message: 'This address speaks TLS.',
  remedy: 'Write https:// in front of it.',
}
