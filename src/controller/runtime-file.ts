import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import * as z from 'zod'
import type { Folder } from './folder.ts'
import { readPid, replaceFile } from './folder.ts'
import { isAlive } from './is-alive.ts'

/** How soon a restarted proxy or agent shows up in the file. */
const REFRESH_MS = 1000

export type RuntimeFacts = { socket: string; url: string; version: string }

/**
 * Writes who runs where, and keeps it true: the CLI finds the controller and its neighbours here. Of several controllers
 * on one folder the file names one; when that one is gone, another takes its place.
 */
export function keepRuntimeFile(folder: Folder, facts: RuntimeFacts): { stop(): void } {
  const startedAt = Date.now()
  let written = ''
  const write = (): void => {
    const named = namedController(folder)
    if (named !== null && named !== process.pid && isAlive(named)) return
    if (named !== process.pid) written = ''
    const content = JSON.stringify({
      schema: 1,
      controller: { pid: process.pid, startedAt, ...facts },
      proxy: part(path.join(folder.proxy, 'proxy.pid')),
      agent: part(path.join(folder.agent, 'agent.pid')),
      sockets: folder.sockets,
    })
    if (content !== written) replaceFile(folder.runtime, content)
    written = content
  }
  write()
  replaceFile(portFile(folder), new URL(facts.url).port)
  const timer = setInterval(write, REFRESH_MS)
  return { stop: () => clearInterval(timer) }
}

const Named = z.object({ controller: z.object({ pid: z.int().positive() }).nullish() })

function namedController(folder: Folder): number | null {
  try {
    return Named.parse(JSON.parse(readFileSync(folder.runtime, 'utf8'))).controller?.pid ?? null
  } catch {
    return null
  }
}

const part = (file: string): { pid: number } | null => {
  const pid = readPid(file)
  return pid === null ? null : { pid }
}

/** After the controller alone stopped, the file still tells about proxy and agent. */
export function removeRuntimeFile(folder: Folder, everything: boolean): void {
  if (everything) rmSync(folder.runtime, { force: true })
}

const portFile = (folder: Folder): string => path.join(folder.root, 'page-port')

/** The port of the page last time: bookmarks keep working, also after everything was stopped. */
export function previousPort(folder: Folder): number | null {
  try {
    const port = Number(readFileSync(portFile(folder), 'utf8'))
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null
  } catch {
    return null
  }
}
