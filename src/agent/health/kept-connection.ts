import { connect, type Socket } from 'node:net'

/** Whoever still answers on an old connection may take no new ones any more: every so many questions go out on a new one. */
export const QUESTIONS_PER_CONNECTION = 10
/** Longer answers are for a client that knows all of HTTP. */
const ANSWER_BYTES = 16 * 1024

type Question = { host: string; port: number; path: string; timeoutMs: number }
/** `unclear`: anything but a plain good answer; the question must be asked in the ordinary way, which says what it is. */
export type KeptAnswer = 'passed' | 'late' | 'unclear'

/**
 * The connection over which an instance that is well is asked again, hundreds of them each second on one host. A new
 * connection, and a client that knows all of HTTP, cost several times as much as the question; so only the answer that
 * nearly always comes is understood here: a short 2xx whose end is known.
 */
export class KeptConnection {
  #socket: Socket | null = null
  #left = 0
  #text = ''
  /** Its answers are of another kind: to ask here is to ask twice. */
  #isOdd = false
  #heard: ((answer: KeptAnswer) => void) | null = null

  /** One question at a time. */
  ask({ host, port, path, timeoutMs }: Question): Promise<KeptAnswer> {
    if (this.#isOdd || !PLAIN.test(path)) return Promise.resolve('unclear')
    const socket = this.#socket ?? this.#open(host, port)
    this.#left -= 1
    const isLast = this.#left === 0
    this.#text = ''
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#settle('late'), timeoutMs)
      this.#heard = (answer) => {
        clearTimeout(late)
        this.#heard = null
        if (answer !== 'passed' || isLast) this.#drop()
        resolve(answer)
      }
      socket.write(requestText({ host, port, path, isLast }), 'latin1')
    })
  }

  /** Nothing is left open: an instance that ends may wait for it. Repeatable. */
  close(): void {
    this.#isOdd = false
    this.#drop()
  }

  #drop(): void {
    this.#socket?.destroy()
    this.#socket = null
    this.#settle('unclear')
  }

  #open(host: string, port: number): Socket {
    const socket = connect({ host, port, noDelay: true }).unref()
    this.#socket = socket
    this.#left = QUESTIONS_PER_CONNECTION
    const gone = () => {
      if (this.#socket === socket) this.#drop()
    }
    return socket
      .on('data', (chunk) => {
        if (this.#socket === socket) this.#take(chunk.toString('latin1'))
      })
      .on('error', gone)
      .on('end', gone)
      .on('close', gone)
  }

  #take(text: string): void {
    this.#text += text
    const judged = judge(this.#text)
    if (judged === 'more') return
    this.#isOdd = judged === 'unclear'
    this.#settle(judged)
  }

  /** What comes while nothing was asked fits nothing. */
  #settle(answer: KeptAnswer): void {
    if (this.#heard !== null) this.#heard(answer)
    else if (this.#socket !== null) this.#drop()
  }
}

const PLAIN = /^[\x21-\x7e]+$/

const requestText = ({ host, port, path, isLast }: Omit<Question, 'timeoutMs'> & { isLast: boolean }) =>
  [
    `GET ${path} HTTP/1.1`,
    `host: ${host.includes(':') ? `[${host}]` : host}:${port}`,
    'user-agent: sluice-agent',
    'accept: */*',
    ...(isLast ? ['connection: close'] : []),
    '\r\n',
  ].join('\r\n')

const GOOD = 'HTTP/1.1 2'

/** What has come of an answer (RFC 9112, 6.3). */
function judge(text: string): 'passed' | 'unclear' | 'more' {
  if (text.length > ANSWER_BYTES || text.slice(0, GOOD.length) !== GOOD.slice(0, text.length))
    return 'unclear'
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return 'more'
  const head = text.slice(0, end + 2).toLowerCase()
  const body = text.slice(end + 4)
  if (head.includes('\r\ntransfer-encoding: chunked\r\n'))
    return body === '0\r\n\r\n' || body.endsWith('\r\n0\r\n\r\n') ? 'passed' : 'more'
  const isEmpty = /^http\/1\.1 204/.test(head)
  const length = isEmpty ? '0' : /\r\ncontent-length: *(\d+) *\r\n/.exec(head)?.[1]
  if (length === undefined || body.length > Number(length)) return 'unclear'
  return body.length === Number(length) ? 'passed' : 'more'
}
