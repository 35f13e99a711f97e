import path from 'node:path'
import type { Finding } from '../answers.ts'
import { type PartName, readRuntime } from '../controller/runtime-file.ts'
import { wrong } from './finding.ts'
import { allPids, commandWords } from './proc.ts'

const PARTS: readonly PartName[] = ['proxy', 'agent']

/** Proxies and agents of this folder that runtime.json does not know: left over when the state folder was removed under them. */
export function checkStrayParts(stateFolder: string): Finding[] {
  const runtime = readRuntime(stateFolder)
  return allPids().flatMap((pid): Finding[] => {
    const name = partOf(commandWords(pid), stateFolder)
    if (name === null || runtime?.[name]?.pid === pid) return []
    return [
      wrong(
        'DOCTOR_PARTS',
        `Process ${pid} is ${name === 'agent' ? 'an agent' : 'a proxy'} of this folder that .sluice/runtime.json does not know. It was left over when the folder was removed, and holds its ports and sockets.`,
        `Run \`kill ${pid}\`, then \`sluice up\`.`,
      ),
    ]
  })
}

/** `node main.js internal-proxy --folder /srv/shop/.sluice/proxy ...`: which part of the state folder this is. */
function partOf(words: readonly string[], stateFolder: string): PartName | null {
  const folder = words[words.indexOf('--folder') + 1]
  if (!words.includes('--folder') || folder === undefined) return null
  const isOurs = folder === stateFolder || folder.startsWith(`${stateFolder}${path.sep}`)
  return isOurs ? (PARTS.find((name) => words.includes(`internal-${name}`)) ?? null) : null
}
