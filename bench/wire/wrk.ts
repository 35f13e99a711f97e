import { run } from '../kit/processes.ts'
import { commandAt, type Rank } from './place.ts'

const GRACE_MS = 20_000

/** Throughput of 32 connections as wrk sees it; answers other than 2xx make the figure worthless. */
export async function requestsPerSecond(load: {
  port: number
  seconds: number
  rank: Rank
}): Promise<number> {
  const { port, seconds, rank } = load
  const words = ['-t1', '-c32', `-d${seconds}s`, `http://127.0.0.1:${port}/cart`]
  const limitMs = seconds * 1_000 + GRACE_MS
  const { code, out, err } = await run(...commandAt({ core: '1', rank }, 'wrk', words), { limitMs })
  if (code !== 0 || out.includes('Non-2xx') || out.includes('Socket errors')) throw new Error(out + err)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(out)?.[1] ?? 0)
}
