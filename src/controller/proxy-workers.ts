import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type ProxyWorkers, parseProxyWorkers } from '../core/shared/proxy-workers.ts'
import type { Folder } from './folder.ts'
import { replaceFile } from './folder.ts'

const fileOf = (folder: Folder): string => path.join(folder.root, 'proxy-workers')

/** How many processes of the proxy were asked for last. One where nobody asked: a proxy that serves comes before how well. */
export function proxyWorkersOf(folder: Folder): ProxyWorkers {
  try {
    return parseProxyWorkers(readFileSync(fileOf(folder), 'utf8').trim()) ?? 1
  } catch {
    return 1
  }
}

/** From now on, whenever a proxy is started. */
export const keepProxyWorkers = (folder: Folder, workers: ProxyWorkers): void =>
  replaceFile(fileOf(folder), `${workers}\n`)
