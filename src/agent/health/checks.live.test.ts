import { readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttp2Server, type Http2Server } from 'node:http2'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import type { ProbeAnswer } from '../probe.ts'
import { checkCommand } from './command-check.ts'
import { checkGrpc } from './grpc-check.ts'
import { checkTcp } from './tcp-check.ts'

/** As long as nothing is to be waited for, a limit that is never reached, however slow the machine is. */
const LONG_MS = 20_000
const servers: (Server | Http2Server)[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})
async function listen(server: Server | Http2Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
const said = (answer: ProbeAnswer): string =>
  answer.kind === 'passed' ? 'passed' : `${answer.failure.kind}: ${answer.failure.message}`
const redact = (text: string): string => text.replaceAll('hunter2', '***')

describe('a TCP check', () => {
  const ask = async (host: string, port: number, timeoutMs = LONG_MS) =>
    said(await checkTcp({ host, port, timeoutMs }))

  it('passes when the port takes a connection, by address or by name', async () => {
    const port = await listen(createServer((socket) => void socket.on('error', () => {}).resume()))
    expect(await ask('127.0.0.1', port)).toBe('passed')
    expect(await ask('localhost', port)).toBe('passed')
  })

  it('at a published port does not take the one who passes connections on for the program behind', async () => {
    const askBehind = async (port: number) =>
      said(await checkTcp({ host: '127.0.0.1', port, timeoutMs: LONG_MS, isPassedOn: true }))
    const ended = await listen(createServer((socket) => void socket.on('error', () => {}).end()))
    expect(await ask('127.0.0.1', ended)).toBe('passed')
    expect(await askBehind(ended)).toMatch(/^refused: .* ended at once: nothing listens in the container$/)
    const cut = await listen(createServer((socket) => void socket.resetAndDestroy()))
    expect(await askBehind(cut)).toMatch(/^refused: /)
    const silent = await listen(createServer((socket) => void socket.on('error', () => {}).resume()))
    expect(await askBehind(silent)).toBe('passed')
    const greets = await listen(
      createServer((socket) => void socket.on('error', () => {}).end('220 ready\r\n')),
    )
    expect(await askBehind(greets)).toBe('passed')
  })

  it('names a refused connection and a name that is not found', async () => {
    expect(await ask('127.0.0.1', 1)).toBe(
      'refused: a TCP connection to 127.0.0.1:1 was refused: nothing listens there',
    )
    expect(await ask('no-such-host.invalid', 5432)).toMatch(
      /^dns: a TCP connection to no-such-host\.invalid:5432 failed: the name was not found/,
    )
  })

  it('gives up in time', async () => {
    // A test network that no packet ever leaves for (RFC 5737); some machines refuse it at once.
    expect(await ask('192.0.2.1', 5432, 300)).toMatch(
      /^(slow: .* within 300 ms|reset: .* failed \(E\w+\)|refused: .*)$/,
    )
  })
})

/** The health service as other servers offer it: an answer per name, everything else NOT_FOUND. */
function grpcServer(statuses: Record<string, number>): Http2Server {
  const server = createHttp2Server()
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const request = Buffer.concat(chunks)
      const name = request.subarray(7).toString('utf8')
      const type = { 'content-type': 'application/grpc' }
      const status = statuses[name]
      if (headers[':path'] !== '/grpc.health.v1.Health/Check' || headers.te !== 'trailers')
        return stream.respond({ ':status': 200, ...type, 'grpc-status': '12' }, { endStream: true })
      if (status === undefined)
        return stream.respond(
          { ':status': 200, ...type, 'grpc-status': '5', 'grpc-message': 'unknown service' },
          { endStream: true },
        )
      stream.respond({ ':status': 200, ...type }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      const message = status === 0 ? [] : [0x08, status]
      stream.end(Buffer.from([0, 0, 0, 0, message.length, ...message]))
    })
  })
  return server
}

describe('a gRPC check', () => {
  const ask = async (port: number, service = '', timeoutMs = LONG_MS) =>
    said(await checkGrpc({ host: '127.0.0.1', port, service, timeoutMs, redact }))

  it('passes on SERVING only, of the server and of a named service', async () => {
    const port = await listen(grpcServer({ '': 1, 'shop.Orders': 1, 'shop.Cart': 2, 'shop.Old': 0 }))
    expect(await ask(port)).toBe('passed')
    expect(await ask(port, 'shop.Orders')).toBe('passed')
    expect(await ask(port, 'shop.Cart')).toBe(
      `not-serving: gRPC health of shop.Cart on 127.0.0.1:${port} answered NOT_SERVING`,
    )
    expect(await ask(port, 'shop.Old')).toMatch(/^not-serving: .* answered UNKNOWN$/)
    expect(await ask(port, 'shop.None')).toMatch(/^not-serving: .* the server does not know this name$/)
  })

  it('names a server without the health service, with another status, and one that sends no message', async () => {
    const answering = (headers: Record<string, string | number>) => {
      const server = createHttp2Server()
      server.on('stream', (stream) => stream.respond(headers, { endStream: true }))
      return listen(server)
    }
    const grpc = { ':status': 200, 'content-type': 'application/grpc' }
    expect(await ask(await answering({ ...grpc, 'grpc-status': '12' }))).toMatch(
      /^status: .* UNIMPLEMENTED: the server does not have the gRPC health service/,
    )
    expect(
      await ask(await answering({ ...grpc, 'grpc-status': '14', 'grpc-message': 'hunter2 is down' })),
    ).toMatch(/^status: .* answered the gRPC status 14: "\*\*\* is down"$/)
    expect(await ask(await answering({ ':status': 404, 'content-type': 'text/plain' }))).toMatch(
      /^status: .* answered 404 text\/plain, which is not gRPC$/,
    )
    expect(await ask(await answering({ ...grpc, 'grpc-status': '0' }))).toMatch(/^malformed: /)
  })

  it('names a refused connection, HTTP/1.1, TLS, and silence', async () => {
    expect(await ask(1)).toMatch(/^refused: .* nothing listens there$/)
    const http = createHttpServer((_, response) => response.end('ok'))
    expect(await ask(await listen(http))).toMatch(/^malformed: .* was answered with HTTP\/1\.1/)
    const tls = createServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 70])))
    })
    expect(await ask(await listen(tls))).toMatch(/^tls: /)
    const silent = createServer((socket) => void socket.on('error', () => {}).resume())
    expect(await ask(await listen(silent), '', 300)).toMatch(/^slow: .* within 300 ms$/)
  })
})

describe('a command check', () => {
  const run = (
    script: string,
    more: { timeoutMs?: number; env?: Record<string, string>; signal?: AbortSignal } = {},
  ) =>
    checkCommand({
      command: [process.execPath, '-e', script],
      folder: tmpdir(),
      env: more.env ?? {},
      timeoutMs: more.timeoutMs ?? LONG_MS,
      redact,
      signal: more.signal ?? new AbortController().signal,
    })

  it('passes on code 0, in the folder and with the variables it was given', async () => {
    const script = 'process.exit(process.env.PORT === "4001" && process.cwd() === process.env.AT ? 0 : 1)'
    expect(said(await run(script, { env: { PORT: '4001', AT: tmpdir() } }))).toBe('passed')
  })

  it('names another code with the end of what was said, secrets hidden', async () => {
    const answer = said(await run('console.log("queue: hunter2"); console.error("late"); process.exit(3)'))
    expect(answer).toMatch(/^not-serving: .*ended with code 3: "queue: \*\*\* late"$/)
  })

  it('names a program that is missing', async () => {
    const command = ['no-such-program']
    const signal = new AbortController().signal
    const answer = await checkCommand({
      command,
      folder: tmpdir(),
      env: {},
      timeoutMs: LONG_MS,
      redact,
      signal,
    })
    expect(said(answer)).toMatch(
      /^not-serving: no-such-program: could not start: .* was not found \(ENOENT\)/,
    )
  })

  it('ends what takes too long, with all it started', async () => {
    const child =
      'require("child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { stdio: "ignore" })'
    const answer = said(
      await run(`const { pid } = ${child}; console.log("child=" + pid); setTimeout(() => {}, 60000)`, {
        timeoutMs: 5000,
      }),
    )
    expect(answer).toMatch(/^slow: .* did not end within 5000 ms: "child=\d+"$/)
    const pid = Number(/child=(\d+)/.exec(answer.slice(answer.lastIndexOf('"child')))?.[1])
    await expect.poll(() => isRunning(pid), { timeout: LONG_MS }).toBe(false)
  })

  it('ends when the agent ends', async () => {
    const ending = new AbortController()
    const answer = run('setTimeout(() => {}, 60000)', { signal: ending.signal })
    ending.abort()
    expect(said(await answer)).toMatch(/was ended together with the agent$/)
  })
})

/** A zombie runs nothing any more: whoever adopted it may be slow to fetch it. */
function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
