import { spawnSync } from 'node:child_process'

/**
 * Who goes first on a core. `realtime`: before every ordinary program of the machine, so that neighbours are not
 * measured. `witness`: before those too, so that only the machine itself can keep it waiting.
 */
export type Rank = 'ordinary' | 'realtime' | 'witness'

/** The proxy has core 0 to itself; the origin shares core 1 with the load, alike for every proxy. Where more of them are compared, each has both. */
export type Core = '0' | '1' | '0,1'

/** Round robin within a rank (sched(7)). */
const PRIORITIES: Record<Rank, string | null> = { ordinary: null, realtime: '10', witness: '20' }

/** The command line that starts a program there. */
export function commandAt(
  { core, rank }: { core: Core; rank: Rank },
  command: string,
  args: readonly string[],
): [string, string[]] {
  const pinned = ['-c', core, command, ...args]
  const priority = PRIORITIES[rank]
  return priority === null ? ['taskset', pinned] : ['chrt', ['-r', priority, 'taskset', ...pinned]]
}

/**
 * This process, with all of its threads and whatever it starts from then on, runs on that core alone. Answers how to take it
 * back. Does nothing where the system has no `taskset`.
 */
export function stayOn(core: Core): () => void {
  const own = `${process.pid}`
  const before = /: (\S+)$/.exec(spawnSync('taskset', ['-cp', own]).stdout?.toString().trim() ?? '')?.[1]
  if (before === undefined) return () => undefined
  spawnSync('taskset', ['-acp', core, own])
  return () => void spawnSync('taskset', ['-acp', before, own])
}

/** `realtime` where the system permits it; most reserve it for root. */
export function bestRank(): Rank {
  return spawnSync('chrt', ['-r', '10', 'true']).status === 0 ? 'realtime' : 'ordinary'
}
