import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  ORIGIN_CORE,
  type Running,
  startHaproxy,
  startHttpxy,
  startOrigin,
  startSluice,
} from './proxy-under-test.ts'

/** One line of the result: a ratio or a time over all rounds, and the goal it is held against. */
export type WireRow = {
  what: string
  unit: string
  min: number
  median: number
  max: number
  goal: string
  met: boolean
}

/** Rounds that count; one more comes first and is thrown away, because caches and compilers are cold. */
const ROUNDS = 5
const SECONDS = 3
const OPEN_LOOP_RATE = 1_000
const OPEN_LOOP_REQUESTS = 3_000

/**
 * Throughput of the built-in data plane against HAProxy (one thread) and httpxy in front of the same origin, and the
 * latency that it adds at 1,000 requests a second. Only ratios inside a round are compared: machines are noisy.
 */
export async function benchWire(): Promise<WireRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-wire-'))
  const servers: Running[] = []
  try {
    const [originPort = 0, ...ports] = await freePorts(4)
    const origin = await startOrigin(folder, originPort)
    servers.push(origin)
    const starts = [startSluice, startHaproxy, startHttpxy]
    for (const [at, start] of starts.entries())
      servers.push(await start({ folder, originPort, port: ports[at] ?? 0 }))
    const [, sluice, haproxy, httpxy] = servers
    if (sluice === undefined || haproxy === undefined || httpxy === undefined)
      throw new Error('a server is missing')
    return await measure({ origin, sluice, haproxy, httpxy })
  } finally {
    for (const server of servers.reverse()) await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

type Servers = Record<'origin' | 'sluice' | 'haproxy' | 'httpxy', Running>

async function measure({ origin, sluice, haproxy, httpxy }: Servers): Promise<WireRow[]> {
  const ofHaproxy: number[] = []
  const ofHttpxy: number[] = []
  const added: number[] = []
  const absolute: number[] = []
  for (let round = 0; round <= ROUNDS; round += 1) {
    // The order turns, so that nobody always runs on the warmest machine.
    const rates = new Map<Running, number>()
    const order = [sluice, haproxy, httpxy]
    for (let at = 0; at < 3; at += 1) {
      const server = order[(at + round) % 3]
      if (server !== undefined) rates.set(server, await throughput(server.port))
    }
    const addedMs = (await p99(sluice.port)) - (await p99(origin.port))
    if (round === 0) continue
    const own = rates.get(sluice) ?? 0
    absolute.push(own)
    ofHaproxy.push(own / (rates.get(haproxy) ?? 1))
    ofHttpxy.push(own / (rates.get(httpxy) ?? 1))
    added.push(addedMs)
  }
  return [
    row('throughput of HAProxy, one thread', 'x', ofHaproxy, {
      goal: 'at least 0.5',
      met: (median) => median >= 0.5,
    }),
    row('throughput of httpxy', 'x', ofHttpxy, { goal: 'at least 1.3', met: (median) => median >= 1.3 }),
    row(`added p99 at ${OPEN_LOOP_RATE} req/s`, 'ms', added, {
      goal: 'under 2',
      met: (median) => median < 2,
    }),
    row('throughput', 'req/s', absolute, { goal: 'none', met: () => true }),
  ]
}

function row(
  what: string,
  unit: string,
  values: number[],
  { goal, met }: { goal: string; met: (median: number) => boolean },
): WireRow {
  const sorted = [...values].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  return { what, unit, min: sorted[0] ?? 0, median, max: sorted.at(-1) ?? 0, goal, met: met(median) }
}

/** Requests per second as wrk sees them; answers other than 2xx make the round worthless. */
async function throughput(port: number): Promise<number> {
  const text = await outputOf('taskset', [
    '-c',
    ORIGIN_CORE,
    'wrk',
    '-t1',
    '-c32',
    `-d${SECONDS}s`,
    `http://127.0.0.1:${port}/cart`,
  ])
  if (text.includes('Non-2xx') || text.includes('Socket errors')) throw new Error(text)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? 0)
}

/** 99th percentile in an open loop: every request starts at its time, however slow the ones before are. */
async function p99(port: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  const took: Promise<number>[] = []
  const began = performance.now()
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(
        OPEN_LOOP_REQUESTS,
        Math.floor(((performance.now() - began) / 1_000) * OPEN_LOOP_RATE),
      )
      while (took.length < due) took.push(timeOf(port, agent))
      if (took.length < OPEN_LOOP_REQUESTS) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  const sorted = (await Promise.all(took)).sort((a, b) => a - b)
  agent.destroy()
  return sorted[Math.floor(sorted.length * 0.99)] ?? 0
}

function timeOf(port: number, agent: Agent): Promise<number> {
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const req = request({ port, host: '127.0.0.1', path: '/cart', agent }, (res) => {
      res.resume()
      res.once('end', () => resolve(performance.now() - began))
    })
    req.once('error', reject)
    req.end()
  })
}

function outputOf(command: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
    })
    child.once('error', reject)
    child.once('close', () => resolve(text))
  })
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            resolve(typeof address === 'object' && address !== null ? address.port : 0)
          })
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const two = (value: number) => value.toFixed(value > 100 ? 0 : 2)
  for (const { what, unit, min, median, max, goal, met } of await benchWire()) {
    console.log(
      `${what.padEnd(36)} ${two(min)} / ${two(median)} / ${two(max)} ${unit} (goal: ${goal}, ${met ? 'met' : 'missed'})`,
    )
  }
}
