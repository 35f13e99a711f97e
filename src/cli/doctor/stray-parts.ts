import path from 'node:path'
import type { Finding } from '../../core/shared/finding.ts'
import { type PartName, readRuntime } from '../controller/runtime-file.ts'
import { wrong } from './finding.ts'
import { allPids, commandWords, parentOf } from './proc.ts'

const PARTS: readonly PartName[] = ['proxy', 'agent']

/** Proxies and agents of this folder that runtime.json does not know: left over when the state folder was removed under them. */
export function checkStrayParts(stateFolder: string): Finding[] {
  const runtime = readRuntime(stateFolder)
  return allPids().flatMap((pid): Finding[] => {
    const name = partOf(commandWords(pid), stateFolder)
    const known = name === null ? undefined : runtime?.[name]?.pid
    if (name === null || known === pid) return []
    // A proxy that was replaced started the one that serves, and ends what it has; or it is starting the next one.
    if (known !== undefined && (isAncestor(pid, known) || isAncestor(known, pid))) return []
    return [
      wrong(
        'DOCTOR_PARTS',
        `Process ${pid} is ${name === 'agent' ? 'an agent' : 'a proxy'} of this folder that .sluice/runtime.json does not know. It was left over when the folder was removed, and holds its ports and sockets.`,
        `Run \`kill ${pid}\`, then \`sluice up\`.`,
      ),
    ]
  })
}

/** As many as proxies may wait for the end of theirs, and then some. */
const GENERATIONS = 8

function isAncestor(pid: number, of: number): boolean {
  let at: number | null = of
  for (let step = 0; step < GENERATIONS && at !== null; step += 1) {
    at = parentOf(at)
    if (at === pid) return true
  }
  return false
}

/** `node main.js internal-proxy --folder /srv/shop/.sluice/proxy ...`: which part of the state folder this is. */
function partOf(words: readonly string[], stateFolder: string): PartName | null {
  const folder = words[words.indexOf('--folder') + 1]
  if (!words.includes('--folder') || folder === undefined) return null
  const isOurs = folder === stateFolder || folder.startsWith(`${stateFolder}${path.sep}`)
  return isOurs ? (PARTS.find((name) => words.includes(`internal-${name}`)) ?? null) : null
}
