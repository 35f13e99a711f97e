import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { Folder } from './folder.ts'
import { readPid, replaceFile } from './folder.ts'

/** How soon a restarted proxy or agent shows up in the file. */
const REFRESH_MS = 1000

export type RuntimeFacts = { socket: string; url: string; version: string }

/** Writes who runs where, and keeps it true: the CLI finds the controller and its neighbours here. */
export function keepRuntimeFile(folder: Folder, facts: RuntimeFacts): { stop(): void } {
  const startedAt = Date.now()
  let written = ''
  const write = (): void => {
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
