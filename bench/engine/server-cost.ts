import { readFileSync } from 'node:fs'
import { cpuSeconds } from '../footprint/process-cost.ts'

/** Begins to count; the answer gives the CPU time of the server and its processes since then, in seconds. */
export function cpuOfServer(pid: number): () => number {
  const before = secondsByProcess(pid)
  return () => {
    let sum = 0
    for (const [one, seconds] of secondsByProcess(pid)) sum += seconds - (before.get(one) ?? 0)
    return sum
  }
}

function secondsByProcess(pid: number): Map<number, number> {
  const found = new Map<number, number>()
  for (const one of [pid, ...childrenOf(pid)]) {
    try {
      found.set(one, cpuSeconds(one))
    } catch {
      // It ended between the two questions.
    }
  }
  return found
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
