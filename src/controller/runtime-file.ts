import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import * as z from 'zod'
import type { Folder } from './folder.ts'
import { readPid, replaceFile } from './folder.ts'

/** How soon a restarted proxy or agent shows up in the file. */
const REFRESH_MS = 1000

export type RuntimeFacts = { socket: string; url: string; version: string; epoch: number }

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

const Previous = z.object({ controller: z.object({ url: z.string() }) })

/** The port of the page last time: bookmarks keep working. */
export function previousPort(folder: Folder): number | null {
  try {
    const previous = Previous.parse(JSON.parse(readFileSync(folder.runtime, 'utf8')))
    return Number(new URL(previous.controller.url).port)
  } catch {
    return null
  }
}
