import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import * as z from 'zod'

const Part = z.object({ pid: z.int().positive() })

/** `.sluice/runtime.json`: what the controller says about itself and its neighbours. */
const RuntimeFile = z.object({
  controller: Part.extend({
    socket: z.string(),
    url: z.string(),
    startedAt: z.union([z.number(), z.string()]).nullish(),
    version: z.string().nullish(),
  }).nullish(),
  proxy: Part.nullish(),
  agent: Part.nullish(),
})
export type Runtime = z.infer<typeof RuntimeFile> & { folder: string }
export type PartName = 'controller' | 'proxy' | 'agent'

/** `null` when nothing was ever started here (or the file is being replaced right now). */
export function readRuntime(stateFolder: string): Runtime | null {
  try {
    const found: unknown = JSON.parse(readFileSync(path.join(stateFolder, 'runtime.json'), 'utf8'))
    const parsed = RuntimeFile.safeParse(found)
    return parsed.success ? { ...parsed.data, folder: stateFolder } : null
  } catch {
    return null
  }
}

/** A controller beside others on one folder has a socket that carries its pid. */
const NUMBERED_SOCKET = /^c-(\d+)\.sock$/

/** Where controllers take calls, the one that the file names first. Some may be gone. */
export function controllerSockets(runtime: Runtime | null): string[] {
  const named = runtime?.controller?.socket
  if (named === undefined) return []
  if (!NUMBERED_SOCKET.test(path.basename(named))) return [named]
  const place = path.dirname(named)
  const others = namesIn(place).filter((name) => NUMBERED_SOCKET.test(name) && name !== path.basename(named))
  return [named, ...others.map((name) => path.join(place, name))]
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Processes of this folder that run: the pid alone may belong to somebody else by now, so the command line counts too. */
export function livingParts(runtime: Runtime | null): { name: PartName; pid: number }[] {
  const names: readonly PartName[] = ['controller', 'proxy', 'agent']
  return names.flatMap((name) => {
    const named = runtime?.[name]?.pid
    const pids = new Set([
      ...(named === undefined ? [] : [named]),
      ...(name === 'controller' ? others(runtime) : []),
    ])
    return [...pids].filter((pid) => isOurs(pid, name)).map((pid) => ({ name, pid }))
  })
}

const others = (runtime: Runtime | null): number[] =>
  controllerSockets(runtime).flatMap((socket) => {
    const pid = NUMBERED_SOCKET.exec(path.basename(socket))?.[1]
    // A controller of another folder may have the pid by now.
    return pid !== undefined && commandOf(Number(pid))?.includes(runtime?.folder ?? '') ? [Number(pid)] : []
  })

function isOurs(pid: number, name: PartName): boolean {
  const command = commandOf(pid)
  return command === null
    ? isAlive(pid) && process.platform !== 'linux'
    : command.includes(`internal-${name}`)
}

/** Command line of a process, words joined by spaces; `null` when it is gone or cannot be seen. */
export function commandOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return text === '' ? null : text
  } catch {
    return null
  }
}

/** Whether there is a process of this id, ours or not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
